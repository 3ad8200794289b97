-- AlterTable
ALTER TABLE "Run" ADD COLUMN "together" BOOLEAN NOT NULL DEFAULT false;
