/** Rings when a partition has been appended to, so that nobody has to poll. */
export class AppendBell {
  private readonly listeners = new Map<string, Set<() => void>>();

  /** Calls `listener` after each commit that appended to the partition, until the returned function is called. */
  listen(topic: string, partition: number, listener: () => void): () => void {
    const key = bellKey(topic, partition);
    const found = this.listeners.get(key);
    const set = found ?? new Set();
    if (found === undefined) this.listeners.set(key, set);
    set.add(listener);
    return () => {
      set.delete(listener);
      if (set.size === 0 && this.listeners.get(key) === set) this.listeners.delete(key);
    };
  }

  ring(topic: string, partition: number): void {
    const set = this.listeners.get(bellKey(topic, partition));
    if (set !== undefined) for (const listener of [...set]) listener();
  }
}

function bellKey(topic: string, partition: number): string {
  return `${topic}/${partition}`;
}
