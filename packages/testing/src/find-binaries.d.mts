export interface Binaries {
  readonly mariadbd: string;
  readonly mariadbInstallDb: string;
  readonly mariadb: string;
  /** Spawn `command` under the name `argv0`: the binary decides by its name what it is. */
  readonly redisServer: { readonly command: string; readonly argv0: string };
}

export type FoundBinaries =
  | { readonly binaries: Binaries; readonly missing: readonly [] }
  | { readonly binaries?: undefined; readonly missing: readonly string[] };

/** `path` is a PATH to look in first; `folders` are looked in after it (default: the usual ones). */
export function findBinaries(where?: {
  readonly path?: string | undefined;
  readonly folders?: readonly string[];
}): FoundBinaries;
