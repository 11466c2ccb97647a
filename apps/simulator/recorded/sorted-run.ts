/** A run of the sort: encoded items in blocks, which are in memory or in a file. */
import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { ByteReader, ByteWriter } from '#domain';

export interface RunCodec<T> {
  readonly encode: (item: T, out: ByteWriter) => void;
  readonly decode: (bytes: ByteReader) => T;
}

const BLOCK_BYTES = 1 << 18;

export class SortedRun<T> {
  constructor(
    private readonly blocks: readonly { readonly size: number; readonly kept: Buffer | null }[],
    /** Null for a run in memory. */
    readonly file: string | null,
    private readonly decode: RunCodec<T>['decode'],
  ) {}

  get bytes(): number {
    return this.blocks.reduce((sum, { size }) => sum + size, 0);
  }

  /** From the first one each time it is called. */
  *items(): Generator<T> {
    const fd = this.file === null ? null : openSync(this.file, 'r');
    try {
      for (const { size, kept } of this.blocks) {
        const block = new ByteReader(kept ?? readBlock(fd, size), 0);
        while (!block.isAtEnd) yield this.decode(block);
      }
    } finally {
      if (fd !== null) closeSync(fd);
    }
  }

  /** Its file, if it has one, is not needed any more. */
  drop(): void {
    if (this.file !== null) unlinkSync(this.file);
  }
}

export class RunWriter<T> {
  private readonly out = new ByteWriter();

  constructor(private readonly codec: RunCodec<T>) {}

  /** @param file   null to keep the run in memory */
  write(items: Iterable<T>, file: string | null): SortedRun<T> {
    const fd = file === null ? null : openSync(file, 'w');
    const blocks: { size: number; kept: Buffer | null }[] = [];
    const { out, codec } = this;
    const endBlock = (): void => {
      const bytes = out.end();
      if (fd !== null) writeAll(fd, bytes);
      blocks.push({ size: bytes.length, kept: fd === null ? bytes : null });
      out.start(0);
    };
    try {
      out.start(0);
      for (const item of items) {
        codec.encode(item, out);
        if (out.size >= BLOCK_BYTES) endBlock();
      }
      if (out.size > 0) endBlock();
    } catch (error) {
      // A full disk does not say which one.
      if (file !== null && error instanceof Error && !('path' in error)) Object.assign(error, { path: file });
      throw error;
    } finally {
      if (fd !== null) closeSync(fd);
    }
    return new SortedRun(blocks, file, codec.decode);
  }
}

function writeAll(fd: number, bytes: Buffer): void {
  for (let from = 0; from < bytes.length;) from += writeSync(fd, bytes, from);
}

function readBlock(fd: number | null, size: number): Buffer {
  const block = Buffer.allocUnsafe(size);
  let read = 0;
  for (let more = 1; fd !== null && more > 0 && read < size; read += more)
    more = readSync(fd, block, read, size - read, null);
  if (read < size) throw new Error(`a sorted run ends after ${read} of ${size} bytes of a block`);
  return block;
}
