-- AlterTable
ALTER TABLE "run" ADD COLUMN     "forwarded" BOOLEAN NOT NULL DEFAULT false;

-- What was handled keeps its id alone.
UPDATE "telegram_update" SET "payload" = jsonb_build_object('update_id', "update_id"), "reading" = NULL WHERE "handled_at" IS NOT NULL;
