/** Ports that fail where a plan says so: the real ones underneath, with one call of theirs going wrong. */
import {
  CommitAbortedError,
  CommitUnknownError,
  type CheckpointWrite,
  type FigureSink,
  type Log,
  type PartitionStore,
  type StateStore,
  type TransactionalWriter,
} from '#pipeline';

export const PORT_CALLS = [
  'writer.commit',
  'log.committed',
  'log.ends',
  'store.write',
  'sink.write',
] as const;
export type PortCall = (typeof PORT_CALLS)[number];

export const FAULTS = {
  'writer.commit': [
    'aborted',
    'aborted again and again',
    'unknown, done',
    'unknown, not done',
    'ownership lost',
    'killed before',
    'killed after',
  ],
  'log.committed': ['error', 'killed before'],
  'log.ends': ['error'],
  'store.write': ['error', 'killed before', 'killed after'],
  'sink.write': ['error', 'error after', 'killed before', 'killed after'],
} as const satisfies Record<PortCall, readonly string[]>;
export type Fault = (typeof FAULTS)[PortCall][number];

export interface PlannedFault {
  readonly call: PortCall;
  /** The nth call, from 0. */
  readonly nth: number;
  readonly fault: Fault;
}

/** The process is gone: nothing that it calls has any effect from now on. */
export class KilledError extends Error {
  override readonly name = 'KilledError';
}

/** More than anybody tries in a row. */
const ABORTS = 8;

/** Counts calls and says which of them go wrong. A process that was killed calls nothing until it is `reborn`. */
export class FaultPlan {
  readonly counts = new Map<PortCall, number>();
  isDead = false;

  constructor(private readonly faults: readonly PlannedFault[] = []) {}

  /** @throws KilledError when the process is dead, or dies before this call */
  next(call: PortCall): Fault | null {
    if (this.isDead) throw new KilledError(call);
    const nth = this.counts.get(call) ?? 0;
    this.counts.set(call, nth + 1);
    const planned = this.faults.find((fault) => fault.call === call && fault.nth === nth);
    if (planned?.fault === 'killed before') this.die(call);
    return planned?.fault ?? null;
  }

  die(call: string): never {
    this.isDead = true;
    throw new KilledError(call);
  }

  reborn(): void {
    this.isDead = false;
  }
}

/** @param plan   asked before every commit and every question */
export function faultyLog(log: Log, plan: FaultPlan): Log {
  return {
    consumer: (options) => log.consumer(options),
    append: (records) => log.append(records),
    read: (input, from, to) => log.read(input, from, to),
    tail: (input, from, signal) => log.tail(input, from, signal),
    applyTopics: (specs, dryRun) => log.applyTopics(specs, dryRun),
    dropTopic: (topic) => log.dropTopic(topic),
    settled: (topic) => log.settled(topic),
    close: () => log.close(),
    async committed(group, input) {
      if (plan.next('log.committed') === 'error') throw new Error('the coordinator does not answer');
      return log.committed(group, input);
    },
    async ends(topic) {
      if (plan.next('log.ends') === 'error') throw new Error('the leader does not answer');
      return log.ends(topic);
    },
    async writer(group, input) {
      if (plan.isDead) throw new KilledError('writer');
      const writer = await log.writer(group, input);
      return faultyWriter(writer, plan, () => log.writer(group, input));
    },
  };
}

function faultyWriter(
  writer: TransactionalWriter,
  plan: FaultPlan,
  takeOver: () => Promise<TransactionalWriter>,
): TransactionalWriter {
  let aborts = 0;
  return {
    close: () => writer.close(),
    async commit(transaction) {
      const fault = plan.next('writer.commit');
      if (fault === 'aborted again and again') aborts = ABORTS;
      if (aborts-- > 0 || fault === 'aborted') throw new CommitAbortedError('planned');
      if (fault === 'unknown, not done') throw new CommitUnknownError('planned');
      if (fault === 'ownership lost') await (await takeOver()).close();
      const receipt = await writer.commit(transaction);
      if (fault === 'unknown, done') throw new CommitUnknownError('planned');
      if (fault === 'killed after') plan.die('writer.commit');
      return receipt;
    },
  };
}

/** @param plan   asked before every checkpoint */
export function faultyStore(store: StateStore, plan: FaultPlan): StateStore {
  return {
    open: (partition) => faultyPartition(store.open(partition), plan),
    stored: () => store.stored(),
    drop: (partition) => store.drop(partition),
    setAside: (partition) => store.setAside(partition),
    close: () => store.close(),
  };
}

function faultyPartition(store: PartitionStore, plan: FaultPlan): PartitionStore {
  return {
    checkpoint: () => store.checkpoint(),
    get: (key) => store.get(key),
    blob: (name) => store.blob(name),
    states: () => store.states(),
    outbox: () => store.outbox(),
    load: (entries) => store.load(entries),
    freeze: () => store.freeze(),
    write(write: CheckpointWrite) {
      const fault = plan.next('store.write');
      if (fault === 'error') throw new Error('no space left on the device');
      store.write(write);
      if (fault === 'killed after') plan.die('store.write');
    },
    close: () => store.close(),
  };
}

/** @param plan   asked before every insert */
export function faultySink(sink: FigureSink, plan: FaultPlan): FigureSink {
  return {
    async write(rows) {
      const fault = plan.next('sink.write');
      if (fault === 'error') throw new Error('ClickHouse is away');
      await sink.write(rows);
      if (fault === 'error after') throw new Error('ClickHouse did not answer');
      if (fault === 'killed after') plan.die('sink.write');
    },
  };
}
