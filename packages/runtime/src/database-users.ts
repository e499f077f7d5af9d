import { createConnection, escape, escapeId } from 'mysql2/promise';
import type { Connection, RowDataPacket } from 'mysql2/promise';

type Privilege = 'SELECT' | 'INSERT' | 'UPDATE' | 'DELETE';
type Grants = Readonly<Record<string, readonly Privilege[]>>;

/**
 * Who may do what, table by table: a service that is broken into can do no more than this. crypto and
 * epn have no login at all. Nobody may change or delete what the chain of hashes covers.
 */
export const DATABASE_GRANTS = {
  sbp: {
    sbp_orders: ['SELECT', 'INSERT', 'UPDATE'],
    sbp_refunds: ['SELECT', 'INSERT', 'UPDATE'],
  },
  admin: {
    purchases: ['SELECT', 'INSERT', 'UPDATE'],
    purchase_servers: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
    purchase_configs: ['SELECT', 'INSERT', 'DELETE'],
    panel_servers: ['SELECT', 'INSERT', 'UPDATE'],
    refresh_jobs: ['SELECT', 'INSERT', 'UPDATE'],
    refresh_job_items: ['SELECT', 'INSERT', 'UPDATE'],
    refresh_events: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
    // The ledger's: a subscription that was paid may make a purchase.
    subscriptions: ['SELECT'],
  },
  ledger: {
    // kopeck doctor compares them with the files.
    schema_migrations: ['SELECT'],
    inbox: ['SELECT', 'INSERT'],
    evidence: ['SELECT', 'INSERT'],
    // UPDATE: what ON DUPLICATE KEY asks for, and no more than that.
    conflicts: ['SELECT', 'INSERT', 'UPDATE'],
    svix_messages: ['SELECT', 'INSERT', 'UPDATE'],
    repeats: ['SELECT', 'INSERT', 'UPDATE'],
    entries: ['SELECT', 'INSERT'],
    postings: ['SELECT', 'INSERT'],
    // The database makes them of the postings.
    balances: ['SELECT'],
    orders: ['SELECT', 'INSERT', 'UPDATE'],
    payments: ['SELECT', 'INSERT', 'UPDATE'],
    affiliate_actions: ['SELECT', 'INSERT', 'UPDATE'],
    subscriptions: ['SELECT', 'INSERT', 'UPDATE'],
    subscription_grants: ['SELECT', 'INSERT', 'UPDATE'],
    reviews: ['SELECT', 'INSERT', 'UPDATE'],
    outbox: ['SELECT', 'INSERT'],
    outbox_subjects: ['SELECT', 'INSERT', 'UPDATE'],
    chain_head: ['SELECT', 'UPDATE'],
    daily_reports: ['SELECT', 'INSERT'],
    heartbeat: ['SELECT', 'INSERT', 'UPDATE'],
    // For `kopeck audit`; the owner of the database alone empties evidence.
    retention_runs: ['SELECT'],
  },
  // The head of the books stands in every mail.
  courier: { outbox: ['SELECT', 'UPDATE'], chain_head: ['SELECT'], heartbeat: ['SELECT'] },
  // For people and their programs: the books, and nothing that opens a door or names a payer.
  readonly: {
    inbox: ['SELECT'],
    conflicts: ['SELECT'],
    repeats: ['SELECT'],
    entries: ['SELECT'],
    postings: ['SELECT'],
    balances: ['SELECT'],
    orders: ['SELECT'],
    payments: ['SELECT'],
    affiliate_actions: ['SELECT'],
    subscriptions: ['SELECT'],
    subscription_grants: ['SELECT'],
    reviews: ['SELECT'],
    chain_head: ['SELECT'],
    retention_runs: ['SELECT'],
    daily_reports: ['SELECT'],
  },
} as const satisfies Record<string, Grants>;

export type DatabaseUser = keyof typeof DATABASE_GRANTS;
export const DATABASE_USERS = Object.keys(DATABASE_GRANTS) as readonly DatabaseUser[];

/** The user that only reads is made where somebody wants it. */
type Passwords = Readonly<
  Record<Exclude<DatabaseUser, 'readonly'> | 'migrate', string> & { readonly?: string | undefined }
>;

export interface DatabaseUsersOptions {
  /** May create users and grant what it holds itself: a migrating user cannot. */
  readonly rootUrl: string;
  readonly database: string;
  readonly passwords: Passwords;
  /** From where the services come: '127.0.0.1', or '%' within a private network. */
  readonly host: string;
}

/** The login name of a service, also of the one that migrates. */
export function databaseUser(service: DatabaseUser | 'migrate'): string {
  return `kopeck_${service}`;
}

/** Makes the database and the user that migrates it. May be repeated; passwords are set anew. */
export async function createDatabase(options: DatabaseUsersOptions): Promise<void> {
  const { database, passwords } = options;
  const owner = accountOf('migrate', options);
  await run(options.rootUrl, [
    `CREATE DATABASE IF NOT EXISTS ${escapeId(database)}
       CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin`,
    ...userSql(owner, passwords.migrate),
    `GRANT ALL PRIVILEGES ON ${escapeId(database)}.* TO ${owner}`,
  ]);
}

/**
 * Makes the services' users, with these grants and no others. Only once the tables are there. Services
 * that run meanwhile keep what is theirs: all is revoked only from a user that has too much.
 */
export async function createServiceUsers(options: DatabaseUsersOptions): Promise<void> {
  const { passwords, rootUrl } = options;
  const connection = await createConnection({ uri: rootUrl });
  try {
    for (const service of DATABASE_USERS) {
      const password = passwords[service];
      if (password === undefined) continue;
      const account = accountOf(service, options);
      for (const statement of userSql(account, password)) await connection.query(statement);
      if (await hasTooMuch(connection, service, options))
        await connection.query(`REVOKE ALL PRIVILEGES, GRANT OPTION FROM ${account}`);
      for (const statement of grantsSql(service, options)) await connection.query(statement);
    }
  } finally {
    await connection.end();
  }
}

function grantsSql(service: DatabaseUser, options: DatabaseUsersOptions): readonly string[] {
  const database = escapeId(options.database);
  return Object.entries<readonly Privilege[]>(DATABASE_GRANTS[service]).map(
    ([table, privileges]) =>
      `GRANT ${privileges.join(', ')} ON ${database}.${escapeId(table)} TO ${accountOf(service, options)}`,
  );
}

const HELD = `
  SELECT '*.*' AS place, privilege_type, is_grantable FROM information_schema.user_privileges
   WHERE grantee = ? AND privilege_type <> 'USAGE'
  UNION ALL SELECT concat(table_schema, '.*'), privilege_type, is_grantable
    FROM information_schema.schema_privileges WHERE grantee = ?
  UNION ALL SELECT concat(table_schema, '.', table_name), privilege_type, is_grantable
    FROM information_schema.table_privileges WHERE grantee = ?
  UNION ALL SELECT concat(table_schema, '.', table_name, '.', column_name), privilege_type, is_grantable
    FROM information_schema.column_privileges WHERE grantee = ?`;

async function hasTooMuch(
  connection: Connection,
  service: DatabaseUser,
  options: DatabaseUsersOptions,
): Promise<boolean> {
  const grants = Object.entries<readonly Privilege[]>(DATABASE_GRANTS[service]);
  const due = new Set(
    grants.flatMap(([table, privileges]) =>
      privileges.map((privilege) => `${privilege} ${options.database}.${table} NO`),
    ),
  );
  const account = accountOf(service, options);
  const [rows] = await connection.query<RowDataPacket[]>(HELD, Array(4).fill(account));
  return rows.some(
    (row) => !due.has(`${row['privilege_type']} ${row['place']} ${row['is_grantable']}`),
  );
}

function accountOf(
  service: DatabaseUser | 'migrate',
  { host }: Pick<DatabaseUsersOptions, 'host'>,
): string {
  return `${escape(databaseUser(service))}@${escape(host)}`;
}

function userSql(account: string, password: string): readonly string[] {
  return [
    `CREATE USER IF NOT EXISTS ${account} IDENTIFIED BY ${escape(password)}`,
    `ALTER USER ${account} IDENTIFIED BY ${escape(password)}`,
  ];
}

async function run(url: string, statements: readonly string[]): Promise<void> {
  const connection = await createConnection({ uri: url });
  try {
    for (const statement of statements) await connection.query(statement);
  } finally {
    await connection.end();
  }
}
