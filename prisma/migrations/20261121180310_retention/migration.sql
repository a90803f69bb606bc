-- AlterTable
ALTER TABLE "run" ADD COLUMN     "pruned_at" TIMESTAMPTZ(3);

-- CreateIndex
CREATE INDEX "run_archived_at_ended_at_idx" ON "run"("archived_at", "ended_at");

-- CreateIndex
CREATE INDEX "run_pruned_at_ended_at_idx" ON "run"("pruned_at", "ended_at");

-- CreateIndex
CREATE INDEX "button_created_at_idx" ON "button"("created_at");
