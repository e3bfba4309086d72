/** Moves labels of one height apart as little as possible: none overlap, all stay within `height`, order is kept. */
export function spread(wanted: readonly number[], size: number, height: number): number[] {
  interface Block {
    sum: number;
    count: number;
    first: number;
  }
  const low = size / 2;
  const high = Math.max(low, height - size / 2);
  const start = (block: Block) => {
    const span = (block.count - 1) * size;
    return Math.max(low, Math.min(block.sum / block.count, high - span));
  };
  const blocks: Block[] = [];
  wanted.forEach((y, index) => {
    blocks.push({ sum: y, count: 1, first: index });
    for (let last = blocks.length - 1; last > 0; last -= 1) {
      const [above, below] = [blocks[last - 1]!, blocks[last]!];
      if (start(above) + above.count * size <= start(below)) break;
      above.sum += below.sum - below.count * above.count * size;
      above.count += below.count;
      blocks.pop();
    }
  });
  return blocks.flatMap((block) => Array.from({ length: block.count }, (_, n) => start(block) + n * size));
}
