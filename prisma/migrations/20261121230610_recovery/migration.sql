-- AlterTable
ALTER TABLE "task" ADD COLUMN     "recovery_id" UUID;

-- CreateTable
CREATE TABLE "recovery" (
    "id" UUID NOT NULL,
    "run_id" UUID NOT NULL,
    "task_id" UUID NOT NULL,
    "root_id" UUID NOT NULL,
    "rung" TEXT NOT NULL,
    "by" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "failure" TEXT NOT NULL,
    "came_of" TEXT,
    "note" TEXT,
    "plan_version" INTEGER,
    "replaced" UUID[] DEFAULT ARRAY[]::UUID[],
    "tokens" INTEGER NOT NULL DEFAULT 0,
    "cost_usd" DOUBLE PRECISION,
    "model_ms" INTEGER NOT NULL DEFAULT 0,
    "taken_until" TIMESTAMPTZ(3),
    "tries" INTEGER NOT NULL DEFAULT 0,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "started_at" TIMESTAMPTZ(3),
    "ended_at" TIMESTAMPTZ(3),

    CONSTRAINT "recovery_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "recovery_run_id_idx" ON "recovery"("run_id");

-- CreateIndex
CREATE INDEX "recovery_task_id_idx" ON "recovery"("task_id");

-- CreateIndex
CREATE INDEX "recovery_status_idx" ON "recovery"("status");
