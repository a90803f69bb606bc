-- AlterTable
ALTER TABLE "run" ADD COLUMN     "revision" JSONB;
