import type { PartitionRef, TopicCatalog } from './topic-catalog.js';

/** What the group needs of a consumer. */
export interface GroupMember {
  readonly topics: readonly string[];
  take(partition: PartitionRef): void;
  /** Resolves, never rejects, once the member has let go. */
  release(partition: PartitionRef): Promise<void>;
}

/** The partitions p with p mod `of` = `index`. */
export interface ThreadShare {
  readonly index: number;
  readonly of: number;
}

export function isInShare({ index, of }: ThreadShare, partition: number): boolean {
  return partition % of === index;
}

interface Slot {
  readonly partition: PartitionRef;
  owner: GroupMember | null;
  target: GroupMember | null;
  moving: Promise<void> | null;
}

/**
 * Splits the partitions of a group over its members, all of this thread. A partition goes to its new member only
 * after the old one has let go; those that need not move stay where they are.
 */
export class ConsumerGroup {
  private readonly members = new Set<GroupMember>();
  private readonly slots = new Map<string, Slot>();

  constructor(
    private readonly catalog: TopicCatalog,
    private readonly share: ThreadShare,
  ) {}

  /** @throws UnknownPartitionError when a topic does not exist */
  join(member: GroupMember): void {
    for (const topic of member.topics) this.catalog.topic(topic);
    this.members.add(member);
    this.rebalance();
  }

  /** Resolves once the member holds nothing any more. */
  async leave(member: GroupMember): Promise<void> {
    this.members.delete(member);
    this.rebalance();
    const held = [...this.slots.values()].filter(({ owner }) => owner === member);
    await Promise.all(held.map(({ moving }) => moving ?? Promise.resolve()));
  }

  /** To be called when members or topics have changed. */
  rebalance(): void {
    const slots = this.subscribedSlots();
    for (const slot of this.slots.values()) slot.target = null;
    assignTargets(slots, [...this.members]);
    for (const slot of this.slots.values()) {
      if (slot.owner !== slot.target) slot.moving ??= this.move(slot);
    }
  }

  private subscribedSlots(): Slot[] {
    const topics = new Set([...this.members].flatMap(({ topics }) => topics));
    return [...topics].flatMap((name) => {
      const { id, partitions } = this.catalog.topic(name);
      const ours = Array.from({ length: partitions }, (_, partition) => partition);
      return ours
        .filter((partition) => isInShare(this.share, partition))
        .map((partition) => {
          const key = `${name}/${partition}`;
          const slot = this.slots.get(key) ?? {
            partition: { topicId: id, topic: name, partition },
            owner: null,
            target: null,
            moving: null,
          };
          this.slots.set(key, slot);
          return slot;
        });
    });
  }

  /** The target may change while the owner is still letting go, so it is looked at again after each step. */
  private async move(slot: Slot): Promise<void> {
    // Never done at once, else `moving` would be set after it was cleared.
    await Promise.resolve();
    while (slot.owner !== slot.target) {
      if (slot.owner !== null) {
        await slot.owner.release(slot.partition);
        slot.owner = null;
      } else {
        slot.owner = slot.target;
        slot.target?.take(slot.partition);
      }
    }
    slot.moving = null;
  }
}

/** As even as it gets, moving as little as possible. */
function assignTargets(slots: readonly Slot[], members: readonly GroupMember[]): void {
  if (members.length === 0) return;
  const load = new Map<GroupMember, number>(members.map((member) => [member, 0]));
  const loadOf = (member: GroupMember): number => load.get(member) ?? 0;
  const give = (slot: Slot, member: GroupMember): void => {
    slot.target = member;
    load.set(member, loadOf(member) + 1);
  };
  const share = Math.floor(slots.length / members.length);
  let extras = slots.length % members.length;
  for (const slot of slots) {
    const { owner } = slot;
    if (owner === null || !load.has(owner) || !owner.topics.includes(slot.partition.topic)) continue;
    if (loadOf(owner) > share || (loadOf(owner) === share && extras === 0)) continue;
    if (loadOf(owner) === share) extras -= 1;
    give(slot, owner);
  }
  for (const slot of slots) {
    if (slot.target !== null) continue;
    const eager = members.filter(({ topics }) => topics.includes(slot.partition.topic));
    const least = eager.reduce((a, b) => (loadOf(b) < loadOf(a) ? b : a));
    give(slot, least);
  }
}

/** The groups of a log, made when their first member joins. */
export class ConsumerGroups {
  private readonly groups = new Map<string, ConsumerGroup>();

  constructor(
    private readonly catalog: TopicCatalog,
    private readonly share: ThreadShare,
  ) {}

  get(name: string): ConsumerGroup {
    const group = this.groups.get(name) ?? new ConsumerGroup(this.catalog, this.share);
    this.groups.set(name, group);
    return group;
  }

  /** Topics were created or widened. */
  topicsChanged(): void {
    for (const group of this.groups.values()) group.rebalance();
  }
}
