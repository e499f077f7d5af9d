import mysql from 'mysql2/promise';
import { expect, inject, test } from 'vitest';
import { createTestDatabase, createTestRedis } from '@kopeck/testing/test-database';

test('gives each caller a database of its own, and nothing beside it', async () => {
  const mine = await createTestDatabase(inject('mariadbRootUrl'));
  const theirs = await createTestDatabase(inject('mariadbRootUrl'));
  const connection = await mysql.createConnection(mine.url);
  try {
    await connection.query('CREATE TABLE t (n INT)');
    const [rows] = await connection.query({ sql: 'SHOW DATABASES', rowsAsArray: true });
    expect(rows).toContainEqual([nameIn(mine.url)]);
    expect(rows).not.toContainEqual([nameIn(theirs.url)]);
  } finally {
    await connection.end();
    await mine.drop();
    await theirs.drop();
  }
});

test('drops the database and its user', async () => {
  const { url, drop } = await createTestDatabase(inject('mariadbRootUrl'));
  await drop();
  await expect(mysql.createConnection(url)).rejects.toThrow('Access denied');
});

test('gives each caller a Redis prefix of its own', () => {
  const { url, prefix } = createTestRedis(inject('redisUrl'));
  expect(url).toBe(inject('redisUrl'));
  expect(prefix).toMatch(/^\{kopeck-[0-9a-f]{12}\}$/);
  expect(createTestRedis(url).prefix).not.toBe(prefix);
});

function nameIn(url: string): string {
  return new URL(url).pathname.slice(1);
}
