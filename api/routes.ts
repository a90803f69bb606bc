import type { Route } from './route.ts'
import { docsRoutes } from './routes/docs.ts'
import { fleetRoutes } from './routes/fleet.ts'
import { healthRoutes } from './routes/health.ts'

/** Every endpoint of the API, in the order in which the document lists them. */
export const routes: readonly Route[] = [...healthRoutes, ...fleetRoutes, ...docsRoutes]
