import express from 'express';

// The baseline: Express with one handler that keeps nothing. It says its URL on stdout.

const app = express();
app.get('/webhook/:token', (_request, response) => {
  response.json({
    status: 'accepted',
    id: 'epn.affiliate.waiting.0000000000000000000000000000000000000000',
  });
});
const server = app.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  console.log(`http://127.0.0.1:${address.port}`);
});
