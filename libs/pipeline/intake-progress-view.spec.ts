import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SOURCE_TOPICS } from '#contracts';
import { eventually, PipelineWorld } from '#testing';
import { IntakeProgressView } from './intake-progress-view.js';
import { TOPICS } from './topics.js';

const A = SOURCE_TOPICS.visit;
const B = SOURCE_TOPICS.order;

describe('the view of how far intake has read', () => {
  let world: PipelineWorld;
  let view: IntakeProgressView;
  const errors: Error[] = [];
  beforeEach(async () => {
    world = await PipelineWorld.open();
    view = new IntakeProgressView(world.log, world.codecs.intakeProgress, [A, B], (error) =>
      errors.push(error),
    );
    errors.length = 0;
  });
  afterEach(async () => {
    await view.stop();
    await world.close();
  });

  async function say(topic: string, readTo: number): Promise<void> {
    const { key, value } = world.codecs.intakeProgress.encode({
      topic,
      partition: 0,
      nextOffset: 1,
      readTo,
      eventTo: null,
      caughtUp: true,
    });
    await world.log.append([{ topic: TOPICS.intakeProgress, partition: 0, key, value }]);
  }

  it('is the least of all source partitions, and unknown while one of them was never reported', async () => {
    await say(A, 50);
    await view.start();
    await say(A, 60);
    expect(view.readTo()).toBeNull();
    await say(B, 40);
    await eventually(() => expect(view.readTo()).toBe(40));
    await say(B, 90);
    await eventually(() => expect(view.readTo()).toBe(60));
    expect(errors).toEqual([]);
  });

  it('never goes back, whatever a former owner says late, and leaves out topics that are not sources', async () => {
    await view.start();
    await say(A, 60);
    await say(B, 70);
    await say(A, 10);
    await say('somebody-else', 5);
    await say(B, 71);
    await eventually(() => expect(view.readTo()).toBe(60));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(view.readTo()).toBe(60);
  });

  it('holds time back for partitions that are added, until intake has reported them', async () => {
    await view.start();
    await say(A, 60);
    await say(B, 70);
    await eventually(() => expect(view.readTo()).toBe(60));
    const spec = { topic: A, partitions: 2, compacted: false, retentionMs: -1, maxMessageBytes: 1_000_000 };
    await world.log.applyTopics([spec], false);
    await view.refreshSources();
    expect(view.readTo()).toBeNull();
  });

  it('is unknown without any source', async () => {
    const none = new IntakeProgressView(world.log, world.codecs.intakeProgress, ['absent'], () => undefined);
    await none.start();
    expect(none.readTo()).toBeNull();
    await none.stop();
  });
});
