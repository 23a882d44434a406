import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, QueryCommand } from '@aws-sdk/lib-dynamodb';

const database = DynamoDBDocumentClient.from(new DynamoDBClient({}));

export async function handler(event) {
  const token = event.headers.authorization.slice(7);
  const [, body] = token.split('.');
  const claims = JSON.parse(Buffer.from(body, 'base64url').toString('utf8')); // expect: decode-instead-of-verify

  const found = await database.send(
    new QueryCommand({
      TableName: process.env.ORDERS,
      KeyConditionExpression: 'owner = :owner',
      ExpressionAttributeValues: { ':owner': claims.sub },
    }),
  );
  return { statusCode: 200, body: JSON.stringify(found.Items) };
}
