import { S3Client, GetObjectCommand } from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { createHmac, createSign } from 'node:crypto'

const s3 = new S3Client({})

export function downloadUrl(key: string) {
  return getSignedUrl(s3, new GetObjectCommand({ Bucket: process.env.BUCKET, Key: key }), { expiresIn: 7 * 24 * 3600 })
}

export function tag(text: string): string {
  return createHmac('sha256', process.env.TAG_KEY!).update(text).digest('hex')
}

export function receipt(text: string, privateKey: string): Buffer {
  return createSign('sha256').update(text).sign(privateKey)
}
