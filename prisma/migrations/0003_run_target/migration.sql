-- AlterTable
ALTER TABLE "Run" ADD COLUMN "target" TEXT;
