// The codes of texts in JavaScript, from the file that export_onnx writes beside the network.
export function codes(texts, { vocabulary, normalization, add_cls, max_example_len }) {
  const code = new Map(vocabulary.map((character, i) => [character, i + 4]));
  const rows = texts.map((text) => {
    const characters = Array.from(normalization ? text.normalize(normalization) : text);
    const found = characters.map((character) => code.get(character) ?? 2);
    return (add_cls ? [3, ...found] : found).slice(0, max_example_len);
  });
  const length = Math.max(1, ...rows.map((row) => row.length));
  return rows.map((row) => [...row, ...Array(length - row.length).fill(0)]);
}
