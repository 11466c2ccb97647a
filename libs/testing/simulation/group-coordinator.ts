import type { TopicPartition } from '#pipeline';
import type { Life } from './life.js';
import type { Scheduler } from './scheduler.js';

/** What the group asks of a member. */
export interface Member {
  readonly life: Life;
  /** A partition is given to it. */
  take(input: TopicPartition): void;
  /** A partition is asked back, or was taken already: resolves, never rejects, once the member has let go. */
  release(input: TopicPartition): Promise<void>;
}

interface Slot {
  readonly input: TopicPartition;
  owner: Member | null;
  /** The owner is being asked to let go. */
  isMoving: boolean;
}

/**
 * Gives the partitions of a group to its members. A member that is gone or silent loses its partitions without
 * being asked, and hears of it when it can: until then it is a zombie.
 */
export class GroupCoordinator {
  readonly #members = new Set<Member>();
  readonly #slots: readonly Slot[];
  /** Messages to each member arrive in the order in which they were sent. */
  readonly #inboxes = new Map<Member, (() => void)[]>();

  constructor(
    private readonly scheduler: Scheduler,
    readonly name: string,
    inputs: readonly TopicPartition[],
  ) {
    this.#slots = inputs.map((input) => ({ input, owner: null, isMoving: false }));
  }

  join(member: Member): void {
    this.#members.add(member);
    this.assign();
    // A newcomer gets its share.
    for (const slot of this.#slots) if (this.scheduler.random.chance(0.4)) this.#ask(slot);
  }

  leave(member: Member): void {
    this.#members.delete(member);
    // What was sent to a former membership means nothing to the next.
    this.#inboxes.delete(member);
    for (const slot of this.#slots) if (slot.owner === member) slot.owner = null;
    this.assign();
  }

  /** Every partition without an owner gets one, if anybody is there. */
  assign(): void {
    const members = [...this.#members];
    if (members.length === 0) return;
    for (const slot of this.#slots) {
      if (slot.owner === null) this.#give(slot, this.scheduler.random.pick(members));
    }
  }

  /** A partition goes to somebody else in good order. */
  rebalance(): void {
    this.#ask(this.scheduler.random.pick(this.#slots));
  }

  /** A live member is taken for dead: it loses one of its partitions, or all, and does not know. */
  evict(isWhole: boolean): void {
    const owned = this.#slots.filter(({ owner }) => owner !== null);
    if (owned.length === 0 || this.#members.size < 2) return;
    const { owner } = this.scheduler.random.pick(owned);
    if (owner === null) return;
    const lost = owned.filter((slot) => slot.owner === owner);
    for (const slot of isWhole ? lost : lost.slice(0, 1)) this.#take(slot, owner);
  }

  /** Those who are dead, or silent for too long, are members no more. */
  expire(isGone: (life: Life) => boolean): void {
    for (const member of [...this.#members]) {
      if (!isGone(member.life)) continue;
      if (member.life.isDead) this.#members.delete(member);
      const others = [...this.#members].filter((one) => one !== member && !isGone(one.life));
      for (const slot of this.#slots) {
        if (slot.owner !== member || (others.length === 0 && !member.life.isDead)) continue;
        this.#take(slot, member, others);
      }
    }
    this.assign();
  }

  /** For the end of a run: nobody waits for a partition. */
  isSettled(): boolean {
    return this.#slots.every(({ owner, isMoving }) => owner?.life.isDead === false && !isMoving);
  }

  #ask(slot: Slot): void {
    const { owner } = slot;
    if (owner === null || slot.isMoving || owner.life.isDead) return;
    slot.isMoving = true;
    const what = `revoke ${this.#nameOf(slot)}`;
    this.#send(owner, what, () => {
      void owner.release(slot.input).then(() => {
        this.scheduler.post(null, `${owner.life.name} → left ${this.#nameOf(slot)}`, () => {
          slot.isMoving = false;
          if (slot.owner !== owner) return;
          slot.owner = null;
          this.assign();
        });
      });
    });
  }

  #take(slot: Slot, owner: Member, others = [...this.#members].filter((one) => one !== owner)): void {
    this.scheduler.trace.note(this.scheduler.steps, `! ${owner.life.name} loses ${this.#nameOf(slot)}`);
    slot.owner = null;
    slot.isMoving = false;
    this.#send(owner, `lost ${this.#nameOf(slot)}`, () => void owner.release(slot.input));
    if (others.length > 0) this.#give(slot, this.scheduler.random.pick(others));
  }

  #give(slot: Slot, member: Member): void {
    slot.owner = member;
    slot.isMoving = false;
    this.#send(member, `assign ${this.#nameOf(slot)}`, () => member.take(slot.input));
  }

  #send(member: Member, what: string, message: () => void): void {
    if (member.life.isDead) return;
    const inbox = this.#inboxes.get(member) ?? [];
    this.#inboxes.set(member, inbox);
    inbox.push(message);
    this.scheduler.post(member.life, `${member.life.name} ← ${what}`, () =>
      this.#inboxes.get(member)?.shift()?.(),
    );
  }

  #nameOf({ input }: Slot): string {
    return `${this.name} ${input.topic}-${input.partition}`;
  }
}
