CREATE TABLE `api_keys` (
	`id` text PRIMARY KEY NOT NULL,
	`program_id` text NOT NULL,
	`name` text NOT NULL,
	`prefix` text NOT NULL,
	`hash` text NOT NULL,
	`pepper_version` text NOT NULL,
	`scopes` text NOT NULL,
	`dialect` text,
	`expires_at` integer,
	`revoked_at` integer,
	`last_used_at` integer,
	`created_at` integer NOT NULL,
	FOREIGN KEY (`program_id`) REFERENCES `programs`(`id`) ON UPDATE no action ON DELETE no action,
	CONSTRAINT "api_keys_scopes" CHECK(json_valid(scopes))
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `api_keys_program` ON `api_keys` (`program_id`,`id`);--> statement-breakpoint
CREATE TABLE `credentials` (
	`program_id` text NOT NULL,
	`provider` text NOT NULL,
	`account` text NOT NULL,
	`sealed` text NOT NULL,
	`last4` text NOT NULL,
	`livemode` integer NOT NULL,
	`checked_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	PRIMARY KEY(`program_id`, `provider`),
	FOREIGN KEY (`program_id`) REFERENCES `programs`(`id`) ON UPDATE no action ON DELETE no action,
	CONSTRAINT "credentials_provider" CHECK(provider IN ('stripe', 'paypal', 'wise'))
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `programs` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`mode` text NOT NULL,
	`default_currency` text NOT NULL,
	`policy` text NOT NULL,
	`policy_version` integer NOT NULL,
	`clock_offset` integer DEFAULT 0 NOT NULL,
	`created_at` integer NOT NULL,
	CONSTRAINT "programs_mode" CHECK(mode IN ('test', 'live')),
	CONSTRAINT "programs_policy" CHECK(json_valid(policy)),
	CONSTRAINT "programs_version" CHECK(typeof(policy_version) = 'integer' AND policy_version BETWEEN 1 AND 9007199254740991),
	CONSTRAINT "programs_clock" CHECK(typeof(clock_offset) = 'integer' AND clock_offset >= 0 AND (clock_offset = 0 OR mode = 'test'))
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `stripe_onboardings` (
	`program_id` text NOT NULL,
	`affiliate_id` text NOT NULL,
	`n` integer NOT NULL,
	`provider_account` text NOT NULL,
	`idempotency_key` text NOT NULL,
	`request` text NOT NULL,
	`account_id` text,
	`refused_at` integer,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	PRIMARY KEY(`program_id`, `affiliate_id`, `n`),
	CONSTRAINT "stripe_onboardings_n" CHECK(typeof(n) = 'integer' AND n BETWEEN 1 AND 9007199254740991)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `deliveries` (
	`program_id` text NOT NULL,
	`endpoint_id` text NOT NULL,
	`position` integer NOT NULL,
	`state` text NOT NULL,
	`attempts` integer NOT NULL,
	`tries` integer NOT NULL,
	`next_attempt_at` integer,
	`status` integer,
	`latency_ms` integer,
	`error` text,
	`excerpt` text,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	PRIMARY KEY(`endpoint_id`, `position`),
	CONSTRAINT "deliveries_state" CHECK(state IN ('due', 'delivered', 'exhausted')),
	CONSTRAINT "deliveries_next" CHECK((state = 'due') = (next_attempt_at IS NOT NULL))
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `deliveries_due` ON `deliveries` (`endpoint_id`,`next_attempt_at`) WHERE next_attempt_at IS NOT NULL;--> statement-breakpoint
CREATE INDEX `deliveries_age` ON `deliveries` (`created_at`);--> statement-breakpoint
CREATE TABLE `idempotency_keys` (
	`program_id` text NOT NULL,
	`key` text NOT NULL,
	`request_sha` text NOT NULL,
	`state` text NOT NULL,
	`status` integer,
	`content_type` text,
	`sealed` text,
	`first_at` integer NOT NULL,
	`started_at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	PRIMARY KEY(`program_id`, `key`)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `idempotency_keys_expiry` ON `idempotency_keys` (`expires_at`);--> statement-breakpoint
CREATE TABLE `webhook_endpoints` (
	`program_id` text NOT NULL,
	`id` text NOT NULL,
	`url` text NOT NULL,
	`events` text NOT NULL,
	`description` text,
	`active` integer NOT NULL,
	`sealed_secret` text NOT NULL,
	`sealed_previous` text,
	`previous_until` integer,
	`rate_per_s` integer NOT NULL,
	`position` integer NOT NULL,
	`created_position` integer NOT NULL,
	`lease` text,
	`lease_until` integer,
	`brisk` integer NOT NULL,
	`not_before` integer,
	`failing_since` integer,
	`last_failed_at` integer,
	`disabled_at` integer,
	`disabled_reason` text,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	PRIMARY KEY(`program_id`, `id`),
	CONSTRAINT "webhook_endpoints_events" CHECK(json_valid(events)),
	CONSTRAINT "webhook_endpoints_active" CHECK(active IN (0, 1)),
	CONSTRAINT "webhook_endpoints_brisk" CHECK(brisk IN (0, 1)),
	CONSTRAINT "webhook_endpoints_disabled" CHECK((active = 0) = (disabled_at IS NOT NULL)),
	CONSTRAINT "webhook_endpoints_reason" CHECK((disabled_at IS NULL) = (disabled_reason IS NULL)),
	CONSTRAINT "webhook_endpoints_position" CHECK(position >= created_position AND created_position >= 0)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `webhook_endpoints_url` ON `webhook_endpoints` (`program_id`,`url`);--> statement-breakpoint
CREATE TABLE `affiliates` (
	`program_id` text NOT NULL,
	`id` text NOT NULL,
	`external_id` text,
	`name` text NOT NULL,
	`email` text NOT NULL,
	`country` text,
	`metadata` text,
	`status` text NOT NULL,
	`overrides` text NOT NULL,
	`destination` text,
	`destination_changed_at` integer,
	`ready` integer NOT NULL,
	`missing` text NOT NULL,
	`ready_as_of` integer,
	`onboarded_at` integer,
	`tax_form` text,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	PRIMARY KEY(`program_id`, `id`),
	FOREIGN KEY (`program_id`) REFERENCES `programs`(`id`) ON UPDATE no action ON DELETE no action,
	CONSTRAINT "affiliates_status" CHECK(status IN ('active', 'suspended')),
	CONSTRAINT "affiliates_overrides" CHECK(json_valid(overrides)),
	CONSTRAINT "affiliates_destination" CHECK(destination IS NULL OR json_valid(destination)),
	CONSTRAINT "affiliates_missing" CHECK(json_valid(missing)),
	CONSTRAINT "affiliates_ready" CHECK(ready IN (0, 1))
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `affiliates_external` ON `affiliates` (`program_id`,`external_id`) WHERE external_id IS NOT NULL;--> statement-breakpoint
CREATE INDEX `affiliates_account` ON `affiliates` (`program_id`,destination ->> '$.account') WHERE destination IS NOT NULL;--> statement-breakpoint
CREATE TABLE `commissions` (
	`program_id` text NOT NULL,
	`id` text NOT NULL,
	`affiliate_id` text NOT NULL,
	`external_id` text,
	`kind` text NOT NULL,
	`origin` text,
	`currency` text NOT NULL,
	`amount` integer NOT NULL,
	`reduced` integer NOT NULL,
	`clawed_back` integer NOT NULL,
	`status` text NOT NULL,
	`held_from` text,
	`order_amount` integer,
	`rate_bps` integer,
	`order_refunded` integer NOT NULL,
	`order_reversed` integer NOT NULL,
	`occurred_at` integer NOT NULL,
	`payable_at` integer NOT NULL,
	`payout_id` text,
	`note` text,
	`metadata` text,
	`request_sha` text NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	PRIMARY KEY(`program_id`, `id`),
	CONSTRAINT "commissions_kind" CHECK(kind IN ('sale', 'bonus', 'credit')),
	CONSTRAINT "commissions_status" CHECK(status IN ('pending', 'approved', 'held', 'processing', 'paid', 'rejected', 'reversed')),
	CONSTRAINT "commissions_amount" CHECK(typeof(amount) = 'integer' AND amount BETWEEN 1 AND 9007199254740991),
	CONSTRAINT "commissions_reduced" CHECK(typeof(reduced) = 'integer' AND reduced BETWEEN 0 AND amount),
	CONSTRAINT "commissions_clawed_back" CHECK(typeof(clawed_back) = 'integer' AND clawed_back BETWEEN 0 AND amount - reduced),
	CONSTRAINT "commissions_held" CHECK((status = 'held') = (held_from IS NOT NULL)),
	CONSTRAINT "commissions_claimed" CHECK(CASE status WHEN 'processing' THEN payout_id IS NOT NULL WHEN 'paid' THEN payout_id IS NOT NULL WHEN 'reversed' THEN 1 ELSE payout_id IS NULL END),
	CONSTRAINT "commissions_left" CHECK((status = 'reversed') = (reduced = amount AND status <> 'rejected' AND status <> 'paid'))
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `commissions_external` ON `commissions` (`program_id`,`external_id`) WHERE external_id IS NOT NULL;--> statement-breakpoint
CREATE INDEX `commissions_due` ON `commissions` (`program_id`,`affiliate_id`,`currency`,`status`,`payable_at`) WHERE status IN ('pending', 'approved', 'held');--> statement-breakpoint
CREATE INDEX `commissions_payout` ON `commissions` (`payout_id`) WHERE payout_id IS NOT NULL;--> statement-breakpoint
CREATE TABLE `refunds` (
	`program_id` text NOT NULL,
	`commission_id` text NOT NULL,
	`seq` integer NOT NULL,
	`external_id` text,
	`amount` integer NOT NULL,
	`order_amount` integer,
	`reason` text NOT NULL,
	`request_sha` text NOT NULL,
	`at` integer NOT NULL,
	PRIMARY KEY(`program_id`, `commission_id`, `seq`),
	CONSTRAINT "refunds_amount" CHECK(typeof(amount) = 'integer' AND amount BETWEEN 0 AND 9007199254740991)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `refunds_external` ON `refunds` (`program_id`,`commission_id`,`external_id`) WHERE external_id IS NOT NULL;--> statement-breakpoint
CREATE TABLE `balances` (
	`affiliate_id` text NOT NULL,
	`currency` text NOT NULL,
	`seq` integer NOT NULL,
	`program` integer DEFAULT 0 NOT NULL,
	`pending` integer DEFAULT 0 NOT NULL,
	`available` integer DEFAULT 0 NOT NULL,
	`reserved` integer DEFAULT 0 NOT NULL,
	`paid` integer DEFAULT 0 NOT NULL,
	`recovery` integer DEFAULT 0 NOT NULL,
	`store_credit` integer DEFAULT 0 NOT NULL,
	PRIMARY KEY(`affiliate_id`, `currency`),
	CONSTRAINT "balances_zero" CHECK(program + pending + available + reserved + paid + recovery + store_credit = 0),
	CONSTRAINT "balances_program" CHECK(typeof(program) = 'integer' AND program BETWEEN -9007199254740991 AND 9007199254740991),
	CONSTRAINT "balances_pending" CHECK(typeof(pending) = 'integer' AND pending BETWEEN 0 AND 9007199254740991),
	CONSTRAINT "balances_available" CHECK(typeof(available) = 'integer' AND available BETWEEN 0 AND 9007199254740991),
	CONSTRAINT "balances_reserved" CHECK(typeof(reserved) = 'integer' AND reserved BETWEEN 0 AND 9007199254740991),
	CONSTRAINT "balances_paid" CHECK(typeof(paid) = 'integer' AND paid BETWEEN 0 AND 9007199254740991),
	CONSTRAINT "balances_recovery" CHECK(typeof(recovery) = 'integer' AND recovery BETWEEN -9007199254740991 AND 0),
	CONSTRAINT "balances_store_credit" CHECK(typeof(store_credit) = 'integer' AND store_credit BETWEEN 0 AND 9007199254740991)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `counters` (
	`program_id` text NOT NULL,
	`name` text NOT NULL,
	`n` integer NOT NULL,
	`cap` integer,
	PRIMARY KEY(`program_id`, `name`),
	CONSTRAINT "counters_cap" CHECK(cap IS NULL OR n <= cap),
	CONSTRAINT "counters_n" CHECK(typeof(n) = 'integer' AND n BETWEEN 0 AND 9007199254740991)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `entries` (
	`affiliate_id` text NOT NULL,
	`seq` integer NOT NULL,
	`line` integer NOT NULL,
	`kind` text NOT NULL,
	`currency` text NOT NULL,
	`from_account` text NOT NULL,
	`to_account` text NOT NULL,
	`amount` integer NOT NULL,
	`commission_id` text,
	`payout_id` text,
	`note` text,
	PRIMARY KEY(`affiliate_id`, `seq`, `line`),
	FOREIGN KEY (`affiliate_id`,`seq`) REFERENCES `turns`(`affiliate_id`,`seq`) ON UPDATE no action ON DELETE no action,
	CONSTRAINT "entries_kind" CHECK(kind IN ('record', 'credit', 'approve', 'hold', 'release_hold', 'reject', 'refund', 'claim', 'claim_recovery', 'release', 'release_recovery', 'absorb', 'settle', 'return', 'return_part', 'paid_late', 'spend', 'refund_credit', 'written_off')),
	CONSTRAINT "entries_from" CHECK(from_account IN ('program', 'pending', 'available', 'reserved', 'paid', 'recovery', 'store_credit')),
	CONSTRAINT "entries_to" CHECK(to_account IN ('program', 'pending', 'available', 'reserved', 'paid', 'recovery', 'store_credit')),
	CONSTRAINT "entries_two" CHECK(from_account <> to_account),
	CONSTRAINT "entries_amount" CHECK(typeof(amount) = 'integer' AND amount BETWEEN 1 AND 9007199254740991),
	CONSTRAINT "entries_currency" CHECK(length(currency) = 3)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `events` (
	`program_id` text NOT NULL,
	`position` integer NOT NULL,
	`type` text NOT NULL,
	`at` integer NOT NULL,
	`livemode` integer NOT NULL,
	`affiliate_id` text,
	`sequence` integer,
	`actor_type` text NOT NULL,
	`actor_id` text NOT NULL,
	`data` text NOT NULL,
	PRIMARY KEY(`program_id`, `position`),
	CONSTRAINT "events_data" CHECK(json_valid(data)),
	CONSTRAINT "events_position" CHECK(typeof(position) = 'integer' AND position BETWEEN 1 AND 9007199254740991)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `turns` (
	`affiliate_id` text NOT NULL,
	`seq` integer NOT NULL,
	`program_id` text NOT NULL,
	`command_id` text NOT NULL,
	`request_sha` text NOT NULL,
	`verdict` text NOT NULL,
	`event_seq` integer NOT NULL,
	`at` integer NOT NULL,
	PRIMARY KEY(`affiliate_id`, `seq`),
	CONSTRAINT "turns_seq" CHECK(typeof(seq) = 'integer' AND seq BETWEEN 1 AND 9007199254740991),
	CONSTRAINT "turns_verdict" CHECK(json_valid(verdict)),
	CONSTRAINT "turns_event_seq" CHECK(typeof(event_seq) = 'integer' AND event_seq BETWEEN 0 AND 9007199254740991)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `turns_command` ON `turns` (`program_id`,`command_id`);--> statement-breakpoint
CREATE TABLE `attempts` (
	`program_id` text NOT NULL,
	`id` text NOT NULL,
	`payout_id` text NOT NULL,
	`affiliate_id` text NOT NULL,
	`n` integer NOT NULL,
	`rail` text NOT NULL,
	`provider_account` text NOT NULL,
	`api_version` text NOT NULL,
	`destination` text NOT NULL,
	`idempotency_key` text NOT NULL,
	`request` text NOT NULL,
	`amount` integer NOT NULL,
	`currency` text NOT NULL,
	`state` text NOT NULL,
	`provider_ref` text,
	`detail` text,
	`tries` integer NOT NULL,
	`empty_since` integer,
	`next_attempt_at` integer,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	PRIMARY KEY(`program_id`, `id`),
	CONSTRAINT "attempts_state" CHECK(state IN ('begun', 'unknown', 'accepted', 'deferred', 'needs_hand', 'settled', 'refused', 'paid_late')),
	CONSTRAINT "attempts_amount" CHECK(typeof(amount) = 'integer' AND amount BETWEEN 1 AND 9007199254740991)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `attempts_key` ON `attempts` (`idempotency_key`);--> statement-breakpoint
CREATE UNIQUE INDEX `attempts_open` ON `attempts` (`payout_id`) WHERE state NOT IN ('refused', 'paid_late');--> statement-breakpoint
CREATE INDEX `attempts_next` ON `attempts` (`next_attempt_at`) WHERE next_attempt_at IS NOT NULL;--> statement-breakpoint
CREATE INDEX `attempts_ref` ON `attempts` (`program_id`,`provider_ref`) WHERE provider_ref IS NOT NULL;--> statement-breakpoint
CREATE TABLE `payout_lines` (
	`payout_id` text NOT NULL,
	`commission_id` text NOT NULL,
	`amount` integer NOT NULL,
	PRIMARY KEY(`payout_id`, `commission_id`),
	CONSTRAINT "payout_lines_amount" CHECK(typeof(amount) = 'integer' AND amount BETWEEN 1 AND 9007199254740991)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `payout_runs` (
	`program_id` text NOT NULL,
	`id` text NOT NULL,
	`kind` text NOT NULL,
	`status` text NOT NULL,
	`as_of` integer NOT NULL,
	`period_start` text,
	`period_end` text NOT NULL,
	`currency` text,
	`affiliate_ids` text,
	`cursor` text NOT NULL,
	`command_id` text,
	`request_sha` text NOT NULL,
	`schedule` text,
	`actor_type` text NOT NULL,
	`actor_id` text NOT NULL,
	`touched_at` integer NOT NULL,
	`finished_at` integer,
	`created_at` integer NOT NULL,
	PRIMARY KEY(`program_id`, `id`)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `payout_runs_command` ON `payout_runs` (`program_id`,`command_id`) WHERE command_id IS NOT NULL;--> statement-breakpoint
CREATE UNIQUE INDEX `payout_runs_schedule` ON `payout_runs` (`program_id`,`schedule`,`period_end`) WHERE schedule IS NOT NULL;--> statement-breakpoint
CREATE INDEX `payout_runs_running` ON `payout_runs` (`touched_at`) WHERE status = 'running';--> statement-breakpoint
CREATE TABLE `payouts` (
	`program_id` text NOT NULL,
	`id` text NOT NULL,
	`affiliate_id` text NOT NULL,
	`currency` text NOT NULL,
	`gross` integer NOT NULL,
	`recovered` integer NOT NULL,
	`refunded` integer NOT NULL,
	`amount` integer NOT NULL,
	`returned_amount` integer NOT NULL,
	`late_paid` integer NOT NULL,
	`commission_count` integer NOT NULL,
	`period_start` text NOT NULL,
	`period_end` text NOT NULL,
	`status` text NOT NULL,
	`sent` integer NOT NULL,
	`method` text NOT NULL,
	`destination_sha` text,
	`attempt_count` integer NOT NULL,
	`external_ref` text,
	`external_id` text,
	`created_by` text NOT NULL,
	`approved_at` integer,
	`approved_by` text,
	`paid_at` integer,
	`paid_via` text,
	`expected_by` integer,
	`stalled_at` integer,
	`failure_code` text,
	`failure_detail` text,
	`admin_note` text,
	`partner_message` text,
	`run_id` text,
	`session_id` text,
	`claims` integer NOT NULL,
	`history` text NOT NULL,
	`invoice_number` integer,
	`credit_note_number` integer,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	PRIMARY KEY(`program_id`, `id`),
	CONSTRAINT "payouts_status" CHECK(status IN ('requested', 'pending', 'approved', 'processing', 'paid', 'failed', 'cancelled', 'returned')),
	CONSTRAINT "payouts_method" CHECK(method IN ('stripe', 'paypal', 'wise', 'bank_transfer', 'store_credit', 'manual')),
	CONSTRAINT "payouts_amount" CHECK(typeof(amount) = 'integer' AND amount = gross - recovered - refunded AND amount > 0),
	CONSTRAINT "payouts_parts" CHECK(typeof(gross) = 'integer' AND gross BETWEEN 1 AND 9007199254740991 AND typeof(recovered) = 'integer' AND recovered >= 0 AND typeof(refunded) = 'integer' AND refunded >= 0),
	CONSTRAINT "payouts_returned" CHECK(typeof(returned_amount) = 'integer' AND returned_amount BETWEEN 0 AND amount),
	CONSTRAINT "payouts_late" CHECK(typeof(late_paid) = 'integer' AND late_paid BETWEEN 0 AND 9007199254740991),
	CONSTRAINT "payouts_history" CHECK(json_valid(history)),
	CONSTRAINT "payouts_sent" CHECK(sent IN (0, 1))
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `payouts_affiliate` ON `payouts` (`program_id`,`affiliate_id`,`id`);--> statement-breakpoint
CREATE INDEX `payouts_run` ON `payouts` (`run_id`,`id`) WHERE run_id IS NOT NULL;--> statement-breakpoint
CREATE INDEX `payouts_processing` ON `payouts` (`expected_by`) WHERE status = 'processing';--> statement-breakpoint
CREATE UNIQUE INDEX `payouts_invoice` ON `payouts` (`program_id`,`invoice_number`) WHERE invoice_number IS NOT NULL;--> statement-breakpoint
CREATE TABLE `run_items` (
	`run_id` text NOT NULL,
	`affiliate_id` text NOT NULL,
	`currency` text NOT NULL,
	`payout_id` text,
	`reason` text,
	`blockers` text,
	PRIMARY KEY(`run_id`, `affiliate_id`, `currency`),
	CONSTRAINT "run_items_one" CHECK((payout_id IS NULL) <> (reason IS NULL))
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `payout_file_items` (
	`program_id` text NOT NULL,
	`file_id` text NOT NULL,
	`payout_id` text NOT NULL,
	`attempt_id` text NOT NULL,
	`end_to_end_id` text NOT NULL,
	`voided` integer NOT NULL,
	PRIMARY KEY(`file_id`, `payout_id`)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `payout_file_items_live` ON `payout_file_items` (`payout_id`) WHERE voided = 0;--> statement-breakpoint
CREATE INDEX `payout_file_items_end_to_end` ON `payout_file_items` (`program_id`,`end_to_end_id`);--> statement-breakpoint
CREATE TABLE `payout_files` (
	`program_id` text NOT NULL,
	`id` text NOT NULL,
	`format` text NOT NULL,
	`sealed` text NOT NULL,
	`sha256` text NOT NULL,
	`message_id` text NOT NULL,
	`payout_count` integer NOT NULL,
	`totals` text NOT NULL,
	`run_id` text,
	`voided_at` integer,
	`void_reason` text,
	`created_by` text NOT NULL,
	`created_at` integer NOT NULL,
	PRIMARY KEY(`program_id`, `id`),
	CONSTRAINT "payout_files_totals" CHECK(json_valid(totals))
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `payout_plans` (
	`program_id` text NOT NULL,
	`id` text NOT NULL,
	`plan` text NOT NULL,
	`run_id` text,
	`expires_at` integer NOT NULL,
	`created_at` integer NOT NULL,
	PRIMARY KEY(`program_id`, `id`),
	CONSTRAINT "payout_plans_plan" CHECK(json_valid(plan))
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `payout_sessions` (
	`program_id` text NOT NULL,
	`id` text NOT NULL,
	`title` text NOT NULL,
	`status` text NOT NULL,
	`n` integer NOT NULL,
	`selection` text,
	`created_by` text NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	PRIMARY KEY(`program_id`, `id`),
	CONSTRAINT "payout_sessions_status" CHECK(status IN ('open', 'paying', 'done', 'cancelled')),
	CONSTRAINT "payout_sessions_n" CHECK(typeof(n) = 'integer' AND n BETWEEN 0 AND 9007199254740991),
	CONSTRAINT "payout_sessions_selection" CHECK((n = 0) = (selection IS NULL) AND (selection IS NULL OR json_valid(selection)))
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `session_rows` (
	`session_id` text NOT NULL,
	`n` integer NOT NULL,
	`affiliate_id` text NOT NULL,
	`currency` text NOT NULL,
	`commission_count` integer NOT NULL,
	`gross` integer NOT NULL,
	`recovered` integer NOT NULL,
	`amount` integer NOT NULL,
	`chosen` text NOT NULL,
	`tried` integer NOT NULL,
	`failure_code` text,
	`failure_detail` text,
	PRIMARY KEY(`session_id`, `n`, `affiliate_id`, `currency`),
	CONSTRAINT "session_rows_n" CHECK(typeof(n) = 'integer' AND n BETWEEN 1 AND 9007199254740991),
	CONSTRAINT "session_rows_count" CHECK(typeof(commission_count) = 'integer' AND commission_count BETWEEN 1 AND 9007199254740991),
	CONSTRAINT "session_rows_recovered" CHECK(typeof(recovered) = 'integer' AND recovered BETWEEN 0 AND 9007199254740991),
	CONSTRAINT "session_rows_amount" CHECK(typeof(amount) = 'integer' AND typeof(gross) = 'integer' AND amount = gross - recovered AND amount > 0),
	CONSTRAINT "session_rows_chosen" CHECK(json_valid(chosen)),
	CONSTRAINT "session_rows_tried" CHECK(typeof(tried) = 'integer' AND tried BETWEEN 0 AND 9007199254740991)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `tax_forms` (
	`program_id` text NOT NULL,
	`affiliate_id` text NOT NULL,
	`seq` integer NOT NULL,
	`kind` text NOT NULL,
	`sealed` text NOT NULL,
	`expires_at` integer,
	`created_at` integer NOT NULL,
	PRIMARY KEY(`program_id`, `affiliate_id`, `seq`),
	CONSTRAINT "tax_forms_kind" CHECK(kind IN ('w9', 'w8ben', 'w8ben_e', 'vat_id'))
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TRIGGER `turns_next` BEFORE INSERT ON `turns`
WHEN NEW.seq IS NOT 1 + coalesce((SELECT max(seq) FROM turns WHERE affiliate_id = NEW.affiliate_id), 0)
  OR EXISTS (SELECT 1 FROM turns WHERE program_id = NEW.program_id AND command_id = NEW.command_id)
  OR EXISTS (SELECT 1 FROM payout_runs WHERE program_id = NEW.program_id AND command_id = NEW.command_id)
  OR EXISTS (SELECT 1 FROM idempotency_keys WHERE program_id = NEW.program_id AND key = NEW.command_id)
BEGIN SELECT raise(ABORT, 'fence'); END;
--> statement-breakpoint
CREATE TRIGGER `turns_no_update` BEFORE UPDATE ON `turns` BEGIN SELECT raise(ABORT, 'immutable'); END;
--> statement-breakpoint
CREATE TRIGGER `turns_no_delete` BEFORE DELETE ON `turns` BEGIN SELECT raise(ABORT, 'immutable'); END;
--> statement-breakpoint
CREATE TRIGGER `entries_no_update` BEFORE UPDATE ON `entries` BEGIN SELECT raise(ABORT, 'immutable'); END;
--> statement-breakpoint
CREATE TRIGGER `entries_no_delete` BEFORE DELETE ON `entries` BEGIN SELECT raise(ABORT, 'immutable'); END;
--> statement-breakpoint
CREATE TRIGGER `events_no_update` BEFORE UPDATE ON `events` BEGIN SELECT raise(ABORT, 'immutable'); END;
--> statement-breakpoint
CREATE TRIGGER `refunds_no_update` BEFORE UPDATE ON `refunds` BEGIN SELECT raise(ABORT, 'immutable'); END;
