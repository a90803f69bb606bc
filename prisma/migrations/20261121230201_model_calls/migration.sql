-- CreateTable
CREATE TABLE "model_call" (
    "id" UUID NOT NULL,
    "question_id" UUID NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT clock_timestamp(),
    "ended_at" TIMESTAMPTZ(3),
    "provider" TEXT NOT NULL,
    "model" TEXT NOT NULL,
    "purpose" TEXT NOT NULL,
    "need" TEXT NOT NULL,
    "run_id" UUID,
    "person_id" UUID,
    "outcome" TEXT NOT NULL DEFAULT 'asked',
    "hedge" BOOLEAN NOT NULL DEFAULT false,
    "reserved_tokens" INTEGER NOT NULL DEFAULT 0,
    "reserved_usd" DOUBLE PRECISION,
    "tokens_in" INTEGER,
    "tokens_out" INTEGER,
    "tokens_cached" INTEGER,
    "estimated" BOOLEAN NOT NULL DEFAULT false,
    "cost_usd" DOUBLE PRECISION,
    "ms" INTEGER,
    "first_ms" INTEGER,
    "retry_at" TIMESTAMPTZ(3),

    CONSTRAINT "model_call_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "model_call_at_idx" ON "model_call"("at");

-- CreateIndex
CREATE INDEX "model_call_ended_at_idx" ON "model_call"("ended_at");

-- CreateIndex
CREATE INDEX "model_call_run_id_idx" ON "model_call"("run_id");
