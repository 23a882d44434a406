/** All scenarios, for Node and for browsers. */

import { moving, proving } from './beside.js'
import { sending, signingInAndOut, tabs } from './changing.js'
import { ending, renewing, type Scenarios } from './keeping.js'

export const scenarios: Scenarios = { ...renewing, ...ending, ...signingInAndOut, ...tabs, ...sending, ...proving, ...moving }
