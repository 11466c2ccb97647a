/** The two calls of the Confluent API that the registry client does not offer. */
import { RegistryUnavailableError, type SchemaCheck } from './schema-registry.js';

export class RegistryHttp {
  private readonly headers: Record<string, string>;

  constructor(
    private readonly url: string,
    auth: { readonly username: string; readonly password: string } | null,
    private readonly timeoutMs: number,
  ) {
    this.headers = { 'content-type': 'application/vnd.schemaregistry.v1+json' };
    if (auth === null) return;
    const basic = Buffer.from(`${auth.username}:${auth.password}`).toString('base64');
    this.headers.authorization = `Basic ${basic}`;
  }

  /** @throws RegistryUnavailableError if nothing at the address acts as a registry */
  async ping(): Promise<void> {
    const response = await this.request('GET', '/subjects', null);
    const subjects: unknown = response.ok ? await response.json().catch(() => null) : null;
    if (!Array.isArray(subjects)) throw new RegistryUnavailableError(`no schema registry at ${this.url}`);
  }

  /** Against the subject's newest version. */
  async compatibility(subject: string, schemaText: string): Promise<SchemaCheck> {
    const name = encodeURIComponent(subject);
    // Some registries find any schema compatible with a subject that they do not have.
    const versions = await this.request('GET', `/subjects/${name}/versions`, null);
    if (versions.status === 404) return { state: 'new' };
    const path = `/compatibility/subjects/${name}/versions/latest?verbose=true`;
    const response = await this.request('POST', path, JSON.stringify({ schema: schemaText }));
    const text = await response.text();
    if (response.status === 422) return { state: 'incompatible', detail: text };
    if (!response.ok) throw new RegistryUnavailableError(`schema registry: status ${response.status}`);
    const answer: unknown = JSON.parse(text);
    const compatible = typeof answer === 'object' && answer !== null && 'is_compatible' in answer;
    return compatible && answer.is_compatible === true
      ? { state: 'compatible' }
      : { state: 'incompatible', detail: text };
  }

  private async request(method: string, path: string, body: string | null): Promise<Response> {
    const signal = AbortSignal.timeout(this.timeoutMs);
    try {
      return await fetch(this.url.replace(/\/+$/, '') + path, {
        method,
        headers: this.headers,
        body,
        signal,
      });
    } catch (error) {
      throw new RegistryUnavailableError(`schema registry at ${this.url} cannot be reached`, {
        cause: error,
      });
    }
  }
}
