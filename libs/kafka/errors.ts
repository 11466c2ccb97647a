/** What an error of KafkaJS or of the broker means for us. */

/** Codes of the Kafka protocol that we decide on. */
export const CODE = {
  offsetOutOfRange: 1,
  unknownTopicOrPartition: 3,
  messageTooLarge: 10,
  illegalGeneration: 22,
  unknownMemberId: 25,
  rebalanceInProgress: 27,
  duplicateSequence: 46,
  invalidProducerEpoch: 47,
  invalidTxnState: 48,
  invalidProducerIdMapping: 49,
  concurrentTransactions: 51,
  transactionCoordinatorFenced: 52,
  fencedInstanceId: 82,
  unstableOffsetCommit: 88,
  producerFenced: 90,
} as const;

/** Another writer has taken the transactional id over. */
const FENCING: ReadonlySet<number> = new Set([
  CODE.invalidProducerEpoch,
  CODE.invalidProducerIdMapping,
  CODE.transactionCoordinatorFenced,
  CODE.producerFenced,
]);

/** Pass by themselves: leaders and coordinators that move or load, replicas that lag. */
const TRANSIENT: ReadonlySet<number> = new Set([
  2, 3, 5, 6, 7, 8, 9, 13, 14, 15, 16, 19, 20, 41, 51, 56, 72, 74, 75, 76, 78, 83, 88, 89,
]);

/** Names of KafkaJS errors that mean that a broker could not be reached or did not answer. */
const CONNECTION: ReadonlySet<string> = new Set([
  'KafkaJSConnectionError',
  'KafkaJSConnectionClosedError',
  'KafkaJSRequestTimeoutError',
  'KafkaJSBrokerNotFound',
  'KafkaJSNoBrokerAvailableError',
  'KafkaJSMetadataNotLoaded',
  'KafkaJSTopicMetadataNotLoaded',
  'KafkaJSGroupCoordinatorNotFound',
  'KafkaJSLockTimeout',
]);

/** The answer of a broker to a request that we encode ourselves. */
export class KafkaCodeError extends Error {
  override readonly name = 'KafkaCodeError';
  constructor(
    readonly code: number,
    readonly request: string,
  ) {
    super(`${request} was answered with error ${code}`);
  }
}

/** The protocol code that an error carries, however often KafkaJS has wrapped it. */
export function codeOf(error: unknown): number | null {
  for (const cause of causes(error)) {
    if ('code' in cause && typeof cause.code === 'number') return cause.code;
  }
  return null;
}

export function isFencing(error: unknown): boolean {
  return FENCING.has(codeOf(error) ?? 0);
}

export function isConnectionTrouble(error: unknown): boolean {
  for (const cause of causes(error)) {
    if (CONNECTION.has(cause.name)) return true;
    if ('code' in cause && typeof cause.code === 'string' && /^E[A-Z]+$/.test(cause.code)) return true;
  }
  return false;
}

export function isTransient(error: unknown): boolean {
  return TRANSIENT.has(codeOf(error) ?? 0) || isConnectionTrouble(error);
}

/** Answers that say that an earlier transaction is not quite over: nothing is wrong with the cluster. */
export function isUnderWay(error: unknown): boolean {
  const code = codeOf(error);
  return code === CODE.concurrentTransactions || code === CODE.unstableOffsetCommit;
}

function* causes(error: unknown): Generator<Error> {
  let cause = error;
  for (let depth = 0; cause instanceof Error && depth < 8; depth++) {
    yield cause;
    cause = cause.cause;
  }
}
