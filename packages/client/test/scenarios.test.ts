/** The scenarios in Node. In Chromium they are run by `tests/client`. */

import { test } from 'node:test'
import { scenarios } from './scenarios/index.js'

for (const [name, run] of Object.entries(scenarios)) test(name, run)
