import { compileRules, type EpochRaised, type RulesSet, type Tick } from '#domain';
import type { LogCodec } from './codecs.js';
import type { OutgoingRecord } from './log.js';
import type { Merged } from './merge-partitions.js';
import { partitionOf } from './partition.js';
import { rulesOf, type LogSurvey } from './survey-log.js';

/** The records that the partitions of a copy of the log get. */
export class NewPartitions {
  readonly #touchpoints: number[];
  readonly #lastTick: number;
  #duesPerTick = compileRules(null).rules.duesPerTick;
  /** Nobody can be left who is due at the last tick. */
  #isSettled = false;

  constructor(
    private readonly topic: string,
    private readonly partitions: number,
    private readonly codec: LogCodec,
    survey: LogSurvey,
  ) {
    this.#touchpoints = new Array<number>(partitions).fill(0);
    this.#lastTick = Math.max(...survey.partitions.map(({ tickedTo }) => tickedTo ?? -Infinity));
  }

  begin(epoch: EpochRaised): readonly OutgoingRecord[] {
    return this.#inEach(this.codec.encode(epoch), () => 1);
  }

  recordsOf(one: Merged): readonly OutgoingRecord[] {
    if (one.type === 'control') return this.#control(one.entry);
    const { key } = one;
    const partition = partitionOf(key, this.partitions);
    this.#touchpoints[partition] = (this.#touchpoints[partition] ?? 0) + 1;
    // The bytes are read only as long as their batch, which is over before the chunk is.
    return [{ topic: this.topic, partition, key, value: Buffer.from(one.value) }];
  }

  #control(entry: Tick | RulesSet): readonly OutgoingRecord[] {
    const value = this.codec.encode(entry);
    if (entry.type === 'rulesSet') {
      this.#duesPerTick = rulesOf(entry.rulesJson).duesPerTick;
      this.#isSettled = false;
      return this.#inEach(value, () => 1);
    }
    if (entry.at < this.#lastTick || this.#isSettled) return this.#inEach(value, () => 1);
    this.#isSettled = true;
    // Where partitions are put together more may be due than the ticks there are look at. Those who are passed over
    // are looked at by later ticks, but behind the last one nobody may be left: his fall would be published again.
    return this.#inEach(value, (partition) => {
      const persons = this.#touchpoints[partition] ?? 0;
      return 1 + Math.ceil(persons / this.#duesPerTick);
    });
  }

  #inEach(value: Buffer, times: (partition: number) => number): readonly OutgoingRecord[] {
    const records: OutgoingRecord[] = [];
    for (let partition = 0; partition < this.partitions; partition += 1) {
      for (let n = times(partition); n > 0; n -= 1) {
        records.push({ topic: this.topic, partition, key: null, value });
      }
    }
    return records;
  }
}
