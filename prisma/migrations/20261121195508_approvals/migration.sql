-- AlterTable
ALTER TABLE "plan" ADD COLUMN     "files" JSONB,
ADD COLUMN     "revised_by" UUID;

-- AlterTable
ALTER TABLE "task" ADD COLUMN     "standing_id" UUID;

-- AlterTable
ALTER TABLE "api_token" ADD COLUMN     "person_id" UUID;

-- CreateTable
CREATE TABLE "entitlement" (
    "person_id" UUID NOT NULL,
    "kind" TEXT NOT NULL,
    "target" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "entitlement_pkey" PRIMARY KEY ("person_id","kind","target")
);

-- CreateTable
CREATE TABLE "standing_approval" (
    "id" UUID NOT NULL,
    "kind" TEXT NOT NULL,
    "scope_hash" TEXT NOT NULL,
    "label" TEXT NOT NULL,
    "agent_id" UUID NOT NULL,
    "machine_id" TEXT NOT NULL,
    "cwd" TEXT,
    "asker_id" UUID NOT NULL,
    "given_by" UUID NOT NULL,
    "risk" TEXT NOT NULL,
    "rule" TEXT,
    "approval_id" UUID NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "revoked_at" TIMESTAMPTZ(3),
    "revoked_by" UUID,
    "uses" INTEGER NOT NULL DEFAULT 0,
    "last_used_at" TIMESTAMPTZ(3),

    CONSTRAINT "standing_approval_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "standing_approval_scope_hash_idx" ON "standing_approval"("scope_hash");

-- CreateIndex
CREATE INDEX "standing_approval_expires_at_idx" ON "standing_approval"("expires_at");
