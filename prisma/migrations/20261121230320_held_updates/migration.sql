-- AlterTable
ALTER TABLE "telegram_update" ADD COLUMN     "held_until" TIMESTAMPTZ(3),
ADD COLUMN     "reading" JSONB;
