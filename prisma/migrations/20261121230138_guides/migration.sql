-- CreateTable
CREATE TABLE "guide" (
    "kind" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "source" TEXT NOT NULL,
    "current_hash" TEXT NOT NULL,
    "reviewed_hash" TEXT,
    "origins" TEXT[],
    "run_id" UUID,
    "made_by" UUID,
    "found_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "reviewed_at" TIMESTAMPTZ(3),
    "reviewed_by" UUID,
    "removed_at" TIMESTAMPTZ(3),

    CONSTRAINT "guide_pkey" PRIMARY KEY ("kind","name")
);

-- CreateTable
CREATE TABLE "guide_text" (
    "kind" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "hash" TEXT NOT NULL,
    "description" TEXT NOT NULL,
    "text" TEXT NOT NULL,

    CONSTRAINT "guide_text_pkey" PRIMARY KEY ("kind","name","hash")
);

-- CreateTable
CREATE TABLE "skill_source" (
    "source" TEXT NOT NULL,
    "looked_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "fault" TEXT,

    CONSTRAINT "skill_source_pkey" PRIMARY KEY ("source")
);
