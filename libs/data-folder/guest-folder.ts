import { LocalSchemaRegistry, openCodecs, SchemaCatalog, type Codecs } from '#contracts';
import { EmbeddedLog, type ThreadShare } from '#embedded-log';
import { CurrentLog, type Log } from '#pipeline';
import { logDirectory, openStateStore, type OpenStateStore } from './data-folder.js';

/**
 * What a further thread needs of the data folder that its process has opened: the same embedded log, state store and
 * codecs. ClickHouse stays with the first thread, as does the lock of the folder.
 */
export class GuestFolder {
  private constructor(
    private readonly dataDir: string,
    readonly log: Log,
    readonly codecs: Codecs,
  ) {}

  /** @param share   the partitions that consumers of this thread serve */
  static async open(dataDir: string, share: ThreadShare): Promise<GuestFolder> {
    const catalog = SchemaCatalog.load();
    const codecs = await openCodecs(new LocalSchemaRegistry(catalog), catalog);
    const log = new CurrentLog(EmbeddedLog.open({ path: logDirectory(dataDir), guest: share }));
    return new GuestFolder(dataDir, log, codecs);
  }

  openStateStore(name: string): OpenStateStore {
    return openStateStore(this.dataDir, name);
  }

  close(): Promise<void> {
    return this.log.close();
  }
}
