-- AlterTable
ALTER TABLE "person" ALTER COLUMN "telegram_id" DROP NOT NULL;

-- AlterTable
ALTER TABLE "run" ADD COLUMN     "archived_at" TIMESTAMPTZ(3);

-- AlterTable
ALTER TABLE "task" ADD COLUMN     "capabilities" TEXT[] DEFAULT ARRAY[]::TEXT[];

-- AlterTable
ALTER TABLE "gateway" ADD COLUMN     "failures" INTEGER NOT NULL DEFAULT 0,
ADD COLUMN     "latency_ms" DOUBLE PRECISION,
ADD COLUMN     "open_until" TIMESTAMPTZ(3),
ADD COLUMN     "probed_at" TIMESTAMPTZ(3),
ADD COLUMN     "success_rate" DOUBLE PRECISION NOT NULL DEFAULT 1;

-- AlterTable
ALTER TABLE "agent" ADD COLUMN     "outside" BOOLEAN NOT NULL DEFAULT false;
