/** Where one purchase lives on one server. */
export interface PanelRef {
  readonly serverId: string;
  /** The panel's own name of the subscriber; never a token of ours. */
  readonly externalId: string;
}

/** What a panel says of a subscriber now. */
export interface PanelSnapshot {
  /** `vless://…` and the like: at least one, as the panel wrote them. */
  readonly links: readonly string[];
  /** Equal for links that lead to the same place, whatever their remarks: see links.ts. */
  readonly fingerprint: string;
}

export type PanelErrorKind =
  /** DNS, refused, reset, TLS handshake. */
  | 'connection'
  /** The operator must pin the certificate; coming again is useless. */
  | 'tls_untrusted'
  | 'timeout'
  | 'rate_limited'
  /** 5xx, a locked database. */
  | 'busy'
  /** Bad or expired credentials. */
  | 'auth'
  /** The panel does not know the subscriber. */
  | 'not_found'
  /** HTML, an unknown version, another shape. */
  | 'protocol'
  /** The subscriber is there and has no links. */
  | 'empty'
  /** The purchase names a server that the configuration does not. */
  | 'not_configured';

/** A panel did not give what it should. The message is ours, and quotes nothing of the panel's. */
export class PanelError extends Error {
  override name = 'PanelError' as const;
  readonly kind: PanelErrorKind;

  constructor(kind: PanelErrorKind, options?: ErrorOptions) {
    super(`panel: ${kind}`, options);
    this.kind = kind;
  }
}

/** The port of every VPN panel. One value of it is one server. */
export interface VpnPanel {
  /** Reads, and changes nothing on the panel, so that it may be repeated. Throws PanelError. */
  readonly fetch: (ref: PanelRef, signal: AbortSignal) => Promise<PanelSnapshot>;
}

/** By server id. */
export type Panels = ReadonlyMap<string, VpnPanel>;
