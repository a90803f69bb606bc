import type { Route } from './route.ts'
import { docsRoutes } from './routes/docs.ts'
import { enqueueRoutes } from './routes/enqueue.ts'
import { fleetRoutes } from './routes/fleet.ts'
import { healthRoutes } from './routes/health.ts'
import { taskRoutes } from './routes/tasks.ts'

/** Every endpoint of the API, in the order in which the document lists them. */
export const routes: readonly Route[] = [
  ...healthRoutes,
  ...enqueueRoutes,
  ...taskRoutes,
  ...fleetRoutes,
  ...docsRoutes,
]
