import { z } from 'zod'

const Environment = z.object({
  PORT: z.coerce.number().default(3000),
  JWT_SECRET: z.string().min(32),
  SESSION_SECRET: z.string().min(32),
  DATABASE_URL: z.string().url(),
})

export type Environment = z.infer<typeof Environment>

export function readEnvironment(source: NodeJS.ProcessEnv): Environment {
  const result = Environment.safeParse(source)
  if (!result.success) {
    const names = result.error.issues.map((issue) => issue.path.join('.'))
    throw new Error(`environment: not set or not valid: ${names.join(', ')}`)
  }
  return result.data
}
