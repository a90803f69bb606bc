import type { Route } from './route.ts'
import { approvalRoutes } from './routes/approvals.ts'
import { auditRoutes } from './routes/audit.ts'
import { docsRoutes } from './routes/docs.ts'
import { enqueueRoutes } from './routes/enqueue.ts'
import { eventRoutes } from './routes/events.ts'
import { fleetRoutes } from './routes/fleet.ts'
import { healthRoutes } from './routes/health.ts'
import { machineRoutes } from './routes/machines.ts'
import { memoryRoutes } from './routes/memory.ts'
import { metricsRoutes } from './routes/metrics.ts'
import { planRoutes } from './routes/plan.ts'
import { policyRoutes } from './routes/policy.ts'
import { runRoutes } from './routes/runs.ts'
import { schedulerRoutes } from './routes/scheduler.ts'
import { standingRoutes } from './routes/standing.ts'
import { steerRoutes } from './routes/steer.ts'
import { systemRoutes } from './routes/system.ts'
import { taskRoutes } from './routes/tasks.ts'

/** Every endpoint of the API, in the order in which the document lists them. */
export const routes: readonly Route[] = [
  ...planRoutes,
  ...policyRoutes,
  ...runRoutes,
  ...steerRoutes,
  ...approvalRoutes,
  ...standingRoutes,
  ...enqueueRoutes,
  ...taskRoutes,
  ...eventRoutes,
  ...auditRoutes,
  ...machineRoutes,
  ...schedulerRoutes,
  ...systemRoutes,
  ...memoryRoutes,
  ...metricsRoutes,
  ...healthRoutes,
  ...fleetRoutes,
  ...docsRoutes,
]
