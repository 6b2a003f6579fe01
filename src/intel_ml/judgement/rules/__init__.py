"""src/intel_ml/judgement/rules"""
