"""What every package uses: parameters, names, tags, seeds, locks, devices."""
