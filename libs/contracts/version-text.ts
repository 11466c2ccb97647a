import { LogCorruptError } from '#pipeline';

const DECIMAL = /^\d{1,20}$/;

/** Versions as decimal text. Those of one record of the log come one after the other, so the last one is remembered. */
export class VersionText {
  private version = 0n;
  private text = '0';

  textOf(version: bigint): string {
    if (version !== this.version) this.remember(version, version.toString());
    return this.text;
  }

  /** @throws LogCorruptError when the text is no version */
  versionOf(text: string): bigint {
    if (text !== this.text) {
      if (!DECIMAL.test(text)) throw new LogCorruptError(`${JSON.stringify(text)} is no version`);
      const version = BigInt(text);
      this.remember(version, version.toString());
      return version;
    }
    return this.version;
  }

  private remember(version: bigint, text: string): void {
    this.version = version;
    this.text = text;
  }
}
