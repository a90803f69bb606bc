-- CreateIndex
CREATE INDEX "run_chat_id_number_idx" ON "run"("chat_id", "number");
