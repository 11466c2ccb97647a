import type { SourceTouchpoint } from '#domain';

/** The topic, and subject, that defines each kind of source event. */
export const SOURCE_TOPICS = {
  relation: 'touchpoint.relation',
  visit: 'touchpoint.visit',
  engagement: 'touchpoint.engagement',
  order: 'touchpoint.order',
  share: 'touchpoint.share',
} as const satisfies Record<SourceTouchpoint['type'], string>;

export type SourceKind = keyof typeof SOURCE_TOPICS;

export const SOURCE_KINDS: readonly SourceKind[] = ['relation', 'visit', 'engagement', 'order', 'share'];

/** Which kind of event each topic holds; any number of topics may hold the same kind. */
export type SourceTopicKinds = ReadonlyMap<string, SourceKind>;

export const DEFAULT_SOURCE_TOPIC_KINDS: SourceTopicKinds = new Map(
  SOURCE_KINDS.map((kind) => [SOURCE_TOPICS[kind], kind]),
);
