import protocol from 'kafkajs/src/consumer/assignerProtocol.js';
import { z } from 'zod';
import type { StoredState, TopicPartition } from '#pipeline';
import { assignPartitions, type Member } from './assignor.js';
import type { ClusterLink } from './cluster-link.js';
import { CODE, codeOf } from './errors.js';

export interface GroupSettings {
  readonly group: string;
  readonly topics: readonly string[];
  /** Silence after which the coordinator gives a member up. */
  readonly sessionTimeoutMs: number;
  /** How long a rebalance waits for members that still have a batch in hand. */
  readonly rebalanceTimeoutMs: number;
}

const PROTOCOL = 'gravity-sticky';
/** What the member has now, and, with an offset, what lies on its disk. */
const Claims = z.array(z.object({ topic: z.string(), partition: z.number(), offset: z.number().optional() }));

/** Membership in a consumer group: join, heartbeat, leave. */
export class GroupMember {
  private memberId = '';
  private generation = -1;
  /** The last generation whose shares have reached this member. */
  private sharedGeneration = -1;
  /** Partition counts at the last join; the group has to share anew when they change. */
  private counts = '';

  constructor(
    private readonly link: ClusterLink,
    private readonly settings: GroupSettings,
  ) {}

  /**
   * Joins or rejoins and answers what this member gets; `keepsHeld` tells whether what it held and gets again
   * has been its own all the time.
   * @throws an error for which `isMembershipLost` holds when the coordinator has given this member up: whatever
   *   it held may be another's already
   */
  async join(
    held: readonly TopicPartition[],
    stored: readonly StoredState[],
  ): Promise<{ shares: TopicPartition[]; keepsHeld: boolean }> {
    const { group, topics, sessionTimeoutMs, rebalanceTimeoutMs } = this.settings;
    const partitions = await this.partitions();
    const coordinator = await this.link.groupCoordinator(group);
    const joined = await coordinator.joinGroup({
      groupId: group,
      sessionTimeout: sessionTimeoutMs,
      rebalanceTimeout: rebalanceTimeoutMs,
      memberId: this.memberId,
      groupProtocols: [
        {
          name: PROTOCOL,
          metadata: protocol.MemberMetadata.encode({
            version: 1,
            topics,
            userData: Buffer.from(JSON.stringify([...held, ...stored])),
          }),
        },
      ],
    });
    this.memberId = joined.memberId;
    this.generation = joined.generationId;
    this.counts = countsOf(partitions);
    const isLeader = joined.leaderId === joined.memberId;
    const { memberAssignment } = await coordinator.syncGroup({
      groupId: group,
      generationId: joined.generationId,
      memberId: joined.memberId,
      groupAssignment: isLeader ? encodeAssignment(joined.members, partitions) : [],
    });
    const assignment = protocol.MemberAssignment.decode(memberAssignment)?.assignment ?? {};
    // A generation that was over before its shares came here may have given a partition to somebody else.
    const keepsHeld = joined.generationId === this.sharedGeneration + 1;
    this.sharedGeneration = joined.generationId;
    const shares = Object.entries(assignment).flatMap(([topic, own]) =>
      own.map((partition) => ({ topic, partition })),
    );
    return { shares, keepsHeld };
  }

  /** @throws an error for which `isRebalance` or `isMembershipLost` holds when there is something to do */
  async heartbeat(): Promise<void> {
    const coordinator = await this.link.groupCoordinator(this.settings.group);
    await coordinator.heartbeat({
      groupId: this.settings.group,
      memberId: this.memberId,
      groupGenerationId: this.generation,
    });
  }

  async hasNewPartitions(): Promise<boolean> {
    return countsOf(await this.partitions()) !== this.counts;
  }

  async leave(): Promise<void> {
    if (this.memberId === '') return;
    const memberId = this.memberId;
    this.memberId = '';
    const coordinator = await this.link.groupCoordinator(this.settings.group);
    await coordinator.leaveGroup({ groupId: this.settings.group, memberId });
  }

  /** The next join is that of a new member. */
  forgetMembership(): void {
    this.memberId = '';
  }

  private async partitions(): Promise<Map<string, number[]>> {
    const partitions = new Map<string, number[]>();
    for (const topic of this.settings.topics) partitions.set(topic, await this.link.partitionsOf(topic));
    return partitions;
  }
}

export function isRebalance(error: unknown): boolean {
  return codeOf(error) === CODE.rebalanceInProgress;
}

export function isMembershipLost(error: unknown): boolean {
  const code = codeOf(error);
  return code === CODE.unknownMemberId || code === CODE.illegalGeneration || code === CODE.fencedInstanceId;
}

function countsOf(partitions: ReadonlyMap<string, readonly number[]>): string {
  return [...partitions].map(([topic, own]) => `${topic}:${own.length}`).join();
}

function encodeAssignment(
  members: readonly { readonly memberId: string; readonly memberMetadata: Buffer }[],
  partitions: ReadonlyMap<string, readonly number[]>,
): { memberId: string; memberAssignment: Buffer }[] {
  const assignment = assignPartitions(
    members.map(({ memberId, memberMetadata }) => decodeMember(memberId, memberMetadata)),
    partitions,
  );
  return [...assignment].map(([memberId, own]) => {
    const byTopic: Record<string, number[]> = {};
    for (const { topic, partition } of own) (byTopic[topic] ??= []).push(partition);
    const encoded = protocol.MemberAssignment.encode({
      version: 1,
      assignment: byTopic,
      userData: Buffer.alloc(0),
    });
    return { memberId, memberAssignment: encoded };
  });
}

function decodeMember(id: string, metadata: Buffer): Member {
  const { topics, userData } = protocol.MemberMetadata.decode(metadata);
  const claims = Claims.parse(userData.length === 0 ? [] : JSON.parse(userData.toString('utf8')));
  return {
    id,
    topics,
    held: claims.filter(({ offset }) => offset === undefined),
    stored: claims.flatMap(({ offset, ...of }) => (offset === undefined ? [] : [{ ...of, offset }])),
  };
}
