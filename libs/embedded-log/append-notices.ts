import { BroadcastChannel } from 'node:worker_threads';

interface Notice {
  readonly topic: string;
  readonly partition: number;
}

/** Tells the other threads of this process that have the same log open what was appended to it. */
export class AppendNotices {
  private readonly channel: BroadcastChannel;

  /**
   * @param directory   of the log, as all of them resolve it
   * @param onNotice    another thread has appended
   */
  constructor(directory: string, onNotice: (topic: string, partition: number) => void) {
    this.channel = new BroadcastChannel(`embedded log ${directory}`);
    this.channel.unref();
    this.channel.onmessage = ({ data }: { readonly data: unknown }) => {
      const { topic, partition } = data as Notice;
      onNotice(topic, partition);
    };
  }

  post(topic: string, partition: number): void {
    const notice: Notice = { topic, partition };
    this.channel.postMessage(notice);
  }

  close(): void {
    this.channel.close();
  }
}
