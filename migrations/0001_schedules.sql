ALTER TABLE `programs` ADD `next_run_at` integer;--> statement-breakpoint
CREATE INDEX `programs_next_run` ON `programs` (next_run_at - clock_offset,`id`) WHERE next_run_at IS NOT NULL;--> statement-breakpoint
ALTER TABLE `payout_runs` ADD `time_zone` text DEFAULT 'UTC' NOT NULL;--> statement-breakpoint
ALTER TABLE `payout_runs` ADD `plan_id` text;--> statement-breakpoint
CREATE TABLE `payout_plan_parts` (
	`program_id` text NOT NULL,
	`plan_id` text NOT NULL,
	`part` integer NOT NULL,
	`items` text NOT NULL,
	PRIMARY KEY(`program_id`, `plan_id`, `part`),
	CONSTRAINT "payout_plan_parts_items" CHECK(json_valid(items)),
	CONSTRAINT "payout_plan_parts_part" CHECK(typeof(part) = 'integer' AND part BETWEEN 0 AND 9007199254740991)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `automatic_payments` (
	`payout_id` text PRIMARY KEY NOT NULL,
	`program_id` text NOT NULL,
	`affiliate_id` text NOT NULL,
	`run_id` text NOT NULL,
	`try_at` integer NOT NULL,
	`wakes` integer NOT NULL,
	CONSTRAINT "automatic_payments_wakes" CHECK(typeof(wakes) = 'integer' AND wakes BETWEEN 0 AND 9007199254740991)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `automatic_payments_due` ON `automatic_payments` (`try_at`,`payout_id`);--> statement-breakpoint
CREATE INDEX `automatic_payments_affiliate` ON `automatic_payments` (`affiliate_id`);--> statement-breakpoint
CREATE INDEX `automatic_payments_program` ON `automatic_payments` (`program_id`);--> statement-breakpoint
CREATE TRIGGER `automatic_payments_over` AFTER UPDATE OF `status` ON `payouts`
WHEN NEW.status NOT IN ('pending', 'approved')
BEGIN DELETE FROM automatic_payments WHERE payout_id = NEW.id; END;
--> statement-breakpoint
CREATE TRIGGER `automatic_payments_approved` AFTER UPDATE OF `status` ON `payouts`
WHEN NEW.status = 'approved' AND OLD.status <> 'approved'
BEGIN UPDATE automatic_payments SET try_at = 0, wakes = wakes + 1 WHERE payout_id = NEW.id; END;
--> statement-breakpoint
CREATE TRIGGER `automatic_payments_unblocked` AFTER UPDATE ON `affiliates`
BEGIN UPDATE automatic_payments SET try_at = 0, wakes = wakes + 1 WHERE affiliate_id = NEW.id; END;
--> statement-breakpoint
CREATE TRIGGER `automatic_payments_allowed` AFTER UPDATE OF `policy`, `clock_offset` ON `programs`
WHEN NEW.policy <> OLD.policy OR NEW.clock_offset <> OLD.clock_offset
BEGIN UPDATE automatic_payments SET try_at = 0, wakes = wakes + 1 WHERE program_id = NEW.id; END;
