-- CreateTable
CREATE TABLE "memory" (
    "id" BIGSERIAL NOT NULL,
    "kind" TEXT NOT NULL,
    "key" TEXT NOT NULL,
    "text" TEXT NOT NULL,
    "seen" TEXT,
    "outside" BOOLEAN NOT NULL,
    "succeeded" BOOLEAN,
    "times" INTEGER NOT NULL DEFAULT 1,
    "person_id" UUID,
    "chat_id" BIGINT,
    "agent_id" UUID,
    "cwd" TEXT,
    "run_id" UUID,
    "words" tsvector NOT NULL,
    "before" TEXT,
    "corrected_at" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "last_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "memory_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "memory_source" (
    "memory_id" BIGINT NOT NULL,
    "source" TEXT NOT NULL,

    CONSTRAINT "memory_source_pkey" PRIMARY KEY ("memory_id","source")
);

-- CreateTable
CREATE TABLE "memory_forgotten" (
    "source" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "memory_forgotten_pkey" PRIMARY KEY ("source","kind")
);

-- CreateTable
CREATE TABLE "memory_word" (
    "word" TEXT NOT NULL,
    "memories" INTEGER NOT NULL,

    CONSTRAINT "memory_word_pkey" PRIMARY KEY ("word")
);

-- CreateIndex
CREATE UNIQUE INDEX "memory_key_key" ON "memory"("key");

-- CreateIndex
CREATE INDEX "memory_words_idx" ON "memory" USING GIN ("words");

-- CreateIndex
CREATE INDEX "memory_last_at_idx" ON "memory"("last_at");

-- CreateIndex
CREATE INDEX "memory_source_source_idx" ON "memory_source"("source");

-- AddForeignKey
ALTER TABLE "memory_source" ADD CONSTRAINT "memory_source_memory_id_fkey" FOREIGN KEY ("memory_id") REFERENCES "memory"("id") ON DELETE CASCADE ON UPDATE CASCADE;

-- How common each word is, kept in step with the memories: a search goes by the rare ones, and a word whose last memory
-- is forgotten is forgotten with it. Words are taken in order, so that two writers do not wait for each other in a circle.
CREATE FUNCTION "memory_words_added"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO memory_word AS w (word, memories)
    SELECT u.lexeme, count(*)::int FROM added a, unnest(a.words) u GROUP BY u.lexeme ORDER BY u.lexeme
    ON CONFLICT (word) DO UPDATE SET memories = w.memories + EXCLUDED.memories;
  RETURN NULL;
END
$$;
CREATE FUNCTION "memory_words_removed"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM memory_word WHERE word IN (SELECT u.lexeme FROM removed r, unnest(r.words) u) ORDER BY word FOR UPDATE;
  UPDATE memory_word w SET memories = w.memories - x.memories
    FROM (SELECT u.lexeme, count(*)::int AS memories FROM removed r, unnest(r.words) u GROUP BY u.lexeme) x WHERE w.word = x.lexeme;
  DELETE FROM memory_word WHERE memories <= 0 AND word IN (SELECT u.lexeme FROM removed r, unnest(r.words) u);
  RETURN NULL;
END
$$;
CREATE FUNCTION "memory_words_changed"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO memory_word AS w (word, memories) SELECT u.lexeme, 1 FROM unnest(NEW.words) u ORDER BY u.lexeme
    ON CONFLICT (word) DO UPDATE SET memories = w.memories + 1;
  UPDATE memory_word SET memories = memories - 1 WHERE word IN (SELECT u.lexeme FROM unnest(OLD.words) u);
  DELETE FROM memory_word WHERE memories <= 0 AND word IN (SELECT u.lexeme FROM unnest(OLD.words) u);
  RETURN NULL;
END
$$;
CREATE TRIGGER "memory_words_added" AFTER INSERT ON "memory" REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION "memory_words_added"();
CREATE TRIGGER "memory_words_removed" AFTER DELETE ON "memory" REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION "memory_words_removed"();
CREATE TRIGGER "memory_words_changed" AFTER UPDATE ON "memory" FOR EACH ROW WHEN (OLD.words IS DISTINCT FROM NEW.words) EXECUTE FUNCTION "memory_words_changed"();
