/** A client of the platform's Temporal for the time of some work: for what a runtime's client does not offer, histories above all. */
import { Client, Connection } from '@temporalio/client';

export async function withClient<T>(address: string, work: (client: Client) => Promise<T>): Promise<T> {
  const connection = await Connection.connect({ address });
  try {
    return await work(new Client({ connection }));
  } finally {
    await connection.close();
  }
}
