import Joi from 'joi';

/** They stand inside a URL and a shell's command: hex needs quoting in neither. */
const password = (whose: string): Joi.StringSchema =>
  Joi.string()
    .pattern(/^[0-9a-f]{32,128}$/)
    .required()
    .messages({ '*': `the password of ${whose}: openssl rand -hex 24` });

const hostPort = (what: string, fallback: number): Joi.NumberSchema =>
  Joi.number()
    .port()
    .default(fallback)
    .messages({ '*': `${what}, a port of this host` });

const ADDRESS = /^(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/;

const publicKeys = {
  WEBHOOK_DOMAIN: Joi.string()
    .pattern(ADDRESS)
    .required()
    .messages({ '*': 'the name (or IPv4 address) by which partners reach this host' }),
  TLS_MODE: Joi.string()
    .valid('acme', 'acme-ip', 'selfsigned', 'external')
    .default('acme')
    .messages({
      '*': 'acme (Let’s Encrypt for a name), acme-ip (for an address), selfsigned, or external (another proxy has the certificate)',
    }),
  ACME_EMAIL: Joi.string()
    .email({ tlds: false })
    .messages({ '*': 'the address that Let’s Encrypt writes to; needed for acme and acme-ip' }),
  ACME_CA: Joi.string()
    .uri({ scheme: ['https'] })
    .default('https://acme-v02.api.letsencrypt.org/directory')
    .messages({ '*': 'the directory of the certificate authority' }),
  BIND_ADDRESS: Joi.string().ip().default('0.0.0.0').messages({
    '*': 'the address of this host that Traefik listens on; 127.0.0.1 behind a proxy',
  }),
  HTTP_PORT: hostPort('where http comes in (ACME needs 80)', 80),
  HTTPS_PORT: hostPort('where https comes in', 443),
  TRUSTED_PROXIES: Joi.string().messages({
    '*': 'the networks of a proxy in front of Traefik whose X-Forwarded-For is believed: 10.0.0.0/8',
  }),
  CERTS_DIR: Joi.string().default('./certs').messages({
    '*': 'the folder of server.crt and server.key; install.sh makes them for selfsigned',
  }),
};

const databaseKeys = {
  COMPOSE_PROFILES: Joi.string()
    .valid('bundled-db', '')
    .default('')
    .messages({ '*': 'bundled-db to run MariaDB here; empty for a server of your own' }),
  DB_HOST: Joi.string().pattern(ADDRESS).default('mariadb').messages({ '*': 'where MariaDB is' }),
  DB_PORT: Joi.number().port().default(3306).messages({ '*': 'the port of MariaDB' }),
  DB_NAME: Joi.string()
    .pattern(/^[a-z0-9_]{1,64}$/)
    .default('kopeck')
    .messages({ '*': 'the name of the database' }),
  DATABASE_ADMIN_URL: Joi.string()
    .uri({ scheme: ['mysql', 'mariadb'] })
    .messages({
      '*': 'of a server of your own: who may make users there, mysql://admin:password@host:3306/',
    }),
  DATABASE_INTERNAL: Joi.boolean()
    .default(true)
    .messages({ '*': 'false where the database is on another machine' }),
  MARIADB_CACHE: Joi.string()
    .pattern(/^[1-9]\d{0,4}[MG]$/)
    .default('64M')
    .messages({
      '*': 'the cache of the bundled MariaDB, such as 64M; 1536M holds the indexes of a million events',
    }),
  MARIADB_MEMORY: Joi.string()
    .pattern(/^[1-9]\d{0,4}[mg]$/)
    .default('512m')
    .messages({ '*': 'what the bundled MariaDB may take: its cache and 400 MB' }),
  MARIADB_ROOT_PASSWORD: password('root of the bundled MariaDB').optional(),
  MARIADB_MIGRATE_PASSWORD: password('the owner of the tables'),
  MARIADB_SBP_PASSWORD: password('the database user of sbp'),
  MARIADB_ADMIN_PASSWORD: password('the database user of admin'),
  MARIADB_LEDGER_PASSWORD: password('the database user of ledger'),
  MARIADB_COURIER_PASSWORD: password('the database user of courier'),
  MARIADB_READONLY_PASSWORD: password('kopeck_readonly, who reads the books; none: no such user')
    .allow('')
    .optional(),
};

const redisKeys = {
  REDIS_SBP_PASSWORD: password('the Redis user of sbp'),
  REDIS_CRYPTO_PASSWORD: password('the Redis user of crypto'),
  REDIS_EPN_PASSWORD: password('the Redis user of epn'),
  REDIS_ADMIN_PASSWORD: password('the Redis user of admin'),
  REDIS_LEDGER_PASSWORD: password('the Redis user of ledger'),
  REDIS_COURIER_PASSWORD: password('the Redis user of courier'),
  REDIS_CLI_PASSWORD: password('the Redis user of the kopeck command'),
};

const hostKeys = {
  COMPOSE_PROJECT_NAME: Joi.string()
    .pattern(/^[a-z0-9][a-z0-9_-]{0,62}$/)
    .default('kopeck')
    .messages({ '*': 'what the names of containers and volumes begin with' }),
  BACKUP_KEEP: Joi.number()
    .integer()
    .min(1)
    .max(365)
    .default(7)
    .messages({ '*': 'how many backups are kept, 1 to 365' }),
  HEARTBEAT_URL_BACKUP: Joi.string()
    .uri({ scheme: ['https', 'http'] })
    .messages({ '*': 'what `kopeck backup` calls after each backup: a dead man’s switch' }),
};

/**
 * What docker-compose.yml, Traefik and the host command read of `.env`, besides what the services' own
 * schemas say. No service gets any of these: of the passwords Compose makes each one's URLs.
 */
export const deploymentConfig = Joi.object({
  ...publicKeys,
  ...databaseKeys,
  ...redisKeys,
  ...hostKeys,
});

/** What Compose decides for each service: in `.env` it would be the same for all, or is nobody's choice. */
export const SET_BY_COMPOSE: ReadonlySet<string> = new Set([
  'HOST',
  'TRUST_PROXY',
  'REDIS_PREFIX',
  'REDIS_UNSAFE',
  'DATABASE_URL',
  'REDIS_URL',
  'JOURNAL_DIR',
  'RECEIVER_HEALTH_URLS',
  'LEDGER_URL',
]);

/** Needed by no schema, and made by install.sh all the same: without them something answers 503. */
export const GENERATED: ReadonlySet<string> = new Set([
  'MARIADB_ROOT_PASSWORD',
  'EPN_SECRET_TOKEN',
  'TELEGRAM_WEBHOOK_SECRET',
  'CRYPTO_API_TOKEN',
  'LEDGER_USER_API_TOKEN',
  'ADMIN_ENCRYPTION_KEY',
]);

/** What a new installation begins with where a schema asks and no generator can answer. */
export const FIRST_VALUES: Readonly<Record<string, string>> = {
  EPN_DEFAULT_CURRENCY: 'RUB',
  NDN_PER_STAR: '10',
};
