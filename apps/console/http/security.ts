/** What a browser may do with our answers, and under which names we answer at all. */
import type { NextFunction, Request, Response } from 'express';

type Handler = (request: Request, response: Response, next: NextFunction) => void;

const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Swagger’s own page writes styles and pictures into itself. */
const DOCS_POLICY = PAGE_POLICY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'").replace(
  "img-src 'self'",
  "img-src 'self' data:",
);

export function securityHeaders(): Handler {
  return (request, response, next) => {
    const isDocs = request.path.startsWith('/api/docs');
    response.set({
      'Content-Security-Policy': isDocs ? DOCS_POLICY : PAGE_POLICY,
      'X-Content-Type-Options': 'nosniff',
      'X-Frame-Options': 'DENY',
      'Referrer-Policy': 'no-referrer',
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Resource-Policy': 'same-origin',
      'Permissions-Policy': 'camera=(), geolocation=(), microphone=()',
    });
    if (request.path.startsWith('/api/')) response.set('Cache-Control', 'no-store');
    next();
  };
}

const READING = ['GET', 'HEAD'];

/** Nothing here can be changed by a request, so any that would is refused before its body is looked at. */
export function readOnly(): Handler {
  return (request, response, next) => {
    if (READING.includes(request.method)) return next();
    const message = `${request.method} is not possible here: this server only answers questions`;
    response
      .status(405)
      .set('Allow', READING.join(', '))
      .json({ statusCode: 405, error: 'Method Not Allowed', message });
  };
}

const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]'];

/**
 * A server on a loopback address answers only to loopback names: else any web site could point a name of its own at
 * 127.0.0.1 and read the figures through the visitor’s browser (DNS rebinding).
 */
export function hostCheck(host: string, allowedHosts: readonly string[]): Handler {
  const isLoopback = /^(localhost|127(\.\d{1,3}){3}|::1)$/.test(host);
  const names = new Set([...LOOPBACK_NAMES, host, ...allowedHosts].map((name) => name.toLowerCase()));
  return (request, response, next) => {
    const asked = (request.headers.host ?? '').replace(/:\d+$/, '').toLowerCase();
    if (!isLoopback || names.has(asked)) return next();
    const message = `this server does not answer to the name ${asked}; GRAVITY_ALLOWED_HOSTS names further ones`;
    response.status(421).json({ statusCode: 421, error: 'Misdirected Request', message });
  };
}
