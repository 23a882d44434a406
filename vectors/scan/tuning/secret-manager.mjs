import { SecretManagerServiceClient } from '@google-cloud/secret-manager';

const client = new SecretManagerServiceClient();
const JWT_SECRET_NAME = 'projects/shop/secrets/jwt-signing/versions/latest';

let cached;

export async function jwtSecret() {
  if (cached) return cached;
  const [version] = await client.accessSecretVersion({ name: JWT_SECRET_NAME });
  cached = version.payload.data;
  if (cached.length < 32) throw new Error('the secret jwt-signing is shorter than 32 bytes');
  return cached;
}
