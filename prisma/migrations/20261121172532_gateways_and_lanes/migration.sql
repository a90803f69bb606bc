-- AlterTable
ALTER TABLE "task" ADD COLUMN     "lane" TEXT NOT NULL DEFAULT '';

-- AlterTable
ALTER TABLE "agent" ADD COLUMN     "session" TEXT;

-- CreateTable
CREATE TABLE "agent_link" (
    "agent_id" UUID NOT NULL,
    "gateway_id" UUID NOT NULL,
    "since" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_seen_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "agent_link_pkey" PRIMARY KEY ("agent_id","gateway_id")
);

-- CreateIndex
CREATE INDEX "agent_link_gateway_id_idx" ON "agent_link"("gateway_id");

-- CreateIndex
CREATE INDEX "task_agent_id_status_lane_priority_queued_at_position_idx" ON "task"("agent_id", "status", "lane", "priority" DESC, "queued_at", "position");

-- CreateIndex
CREATE INDEX "attempt_agent_id_claimed_at_idx" ON "attempt"("agent_id", "claimed_at" DESC);

-- AddForeignKey
ALTER TABLE "agent_link" ADD CONSTRAINT "agent_link_agent_id_fkey" FOREIGN KEY ("agent_id") REFERENCES "agent"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "agent_link" ADD CONSTRAINT "agent_link_gateway_id_fkey" FOREIGN KEY ("gateway_id") REFERENCES "gateway"("id") ON DELETE CASCADE ON UPDATE CASCADE;
