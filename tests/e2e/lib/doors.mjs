// The doors in.
import { connectCentrifuge } from './clients.mjs';
import { api, pub } from './http.mjs';

/** Each publishes, and resolves when that is acknowledged, with {epoch, offset} where it tells them. */
export async function openDoors(server) {
  const sdk = await connectCentrifuge(server.url);
  return {
    doors: [
      { name: 'sdk', publish: (channel, message) => sdk.publish(channel, message) },
      { name: 'pub', publish: (channel, message) => pub(server, channel, JSON.stringify(message)) },
      { name: 'api', publish: (channel, data) => api(server, 'publish', { channel, data }) },
    ],
    close: () => sdk.close(),
  };
}
