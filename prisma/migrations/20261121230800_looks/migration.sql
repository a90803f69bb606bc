-- Looks of the planner are runs that nobody asked for: their numbers lie below zero and take none from people's runs.
CREATE SEQUENCE "run_look_number" AS integer INCREMENT BY -1 MAXVALUE -1 START WITH -1;
