/** Counterfoil's client for browsers. */

export type { Channel, Message } from './channel.js'
export { createClient, type Environment } from './client.js'
export type { Clock, Instant } from './clock.js'
export { AuthError, type AuthErrorDetails, type Cause, type Problem } from './error.js'
export type * from './types.js'
export type { Fetch } from './wire.js'
